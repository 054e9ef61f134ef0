"""Make the index of jobs partial: new elements have no job and need no entry."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("pipeline_element_by_job", "pipeline_element")
    has_job = sa.text("job_id IS NOT NULL")
    op.create_index(
        "pipeline_element_by_job",
        "pipeline_element",
        ["job_id"],
        unique=True,
        sqlite_where=has_job,
        postgresql_where=has_job,
    )
