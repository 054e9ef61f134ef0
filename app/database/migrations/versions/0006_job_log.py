"""Create the logs of jobs, and keep the id of the request that started a pipeline."""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary, Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "job_log",
        sa.Column("element_id", Binary(), sa.ForeignKey("pipeline_element.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("stream", Binary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.add_column("pipeline", sa.Column("request_id", Binary(), nullable=True))
