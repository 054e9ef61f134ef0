"""Create the audit log: changes that API keys made."""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary, Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", Binary(), primary_key=True),
        sa.Column("organization_id", Binary(), nullable=False),
        sa.Column("project_id", Binary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("key", Binary(), nullable=False),
        sa.Column("user_id", Binary()),
        sa.Column("email", Binary()),
        sa.Column("action", Binary(), nullable=False),
        sa.Column("object_type", Binary(), nullable=False),
        sa.Column("object_id", Binary(), nullable=False),
        sa.Column("object_name", Binary(), nullable=False),
    )
    op.create_index("audit_log_by_organization", "audit_log", ["organization_id", "id"])
    op.create_index("audit_log_by_object", "audit_log", ["organization_id", "object_id", "id"])
