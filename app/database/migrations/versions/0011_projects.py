"""Index the newest change of each project."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("pipeline_by_project_update", "pipeline", ["organization_id", "project_id", "updated_at"])
