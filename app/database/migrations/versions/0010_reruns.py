"""Create columns of reruns: the original of a pipeline, and elements whose results were taken over."""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("pipeline", sa.Column("rerun_of", Binary()))
    op.add_column("pipeline_element", sa.Column("is_reused", sa.Boolean(), nullable=False, server_default=sa.false()))
