"""Index failed pipelines by error code with status and project, for filters of several of them that few or none meet.

Only pipelines with an error code are in the index, so that a create does not write it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    where = sa.text("error_code IS NOT NULL")
    columns = ["organization_id", "error_code", "status", "project_id"]
    op.create_index("pipeline_by_error_status", "pipeline", columns, sqlite_where=where, postgresql_where=where)
