"""Make idempotency keys unique per project: a key used in one project says nothing to callers of another.

Keys whose pipelines were deleted get an empty project, because their projects are unknown.
"""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary, Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "idempotency_key_of_project",
        sa.Column("organization_id", Binary(), primary_key=True),
        sa.Column("project_id", Binary(), primary_key=True),
        sa.Column("key", Binary(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("pipeline_id", Binary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
    )
    op.execute(
        "INSERT INTO idempotency_key_of_project"
        " (organization_id, project_id, key, fingerprint, pipeline_id, created_at)"
        " SELECT k.organization_id, COALESCE(p.project_id, ''), k.key, k.fingerprint, k.pipeline_id, k.created_at"
        " FROM idempotency_key AS k LEFT JOIN pipeline AS p ON p.id = k.pipeline_id"
    )
    op.drop_table("idempotency_key")
    op.rename_table("idempotency_key_of_project", "idempotency_key")
