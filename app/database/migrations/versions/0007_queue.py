"""Make the pipelines themselves the queue of runs: index those that wait for a worker, those that one runs, and those
that have ended.

A pipeline that runs at the time of the migration keeps its worker. Its worker continues it, or the next one takes it
over, as after any restart.
"""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("pipeline", sa.Column("started_by", Binary()))
    queue = ["organization_id", "started_at", "id", "started_by", "worker_id"]
    for name, condition, columns in (
        ("queued", "status = 'RUNNING' AND worker_id IS NULL", queue),
        ("held", "status = 'RUNNING' AND worker_id IS NOT NULL", ["worker_id", "organization_id", "started_by"]),
        ("by_end", "finished_at IS NOT NULL", ["finished_at"]),
    ):
        where = sa.text(condition)
        op.create_index(f"pipeline_{name}", "pipeline", columns, sqlite_where=where, postgresql_where=where)
