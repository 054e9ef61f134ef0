"""Create the row that readiness probes write."""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Instant, now

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    pulse = op.create_table(
        "pulse",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", Instant(), nullable=False),
    )
    op.bulk_insert(pulse, [{"id": 1, "at": now()}])
