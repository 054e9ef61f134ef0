"""Create pipelines, elements and idempotency keys."""

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary, Instant, JsonText

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "pipeline",
        sa.Column("id", Binary(), primary_key=True),
        sa.Column("organization_id", Binary(), nullable=False),
        sa.Column("project_id", Binary(), nullable=False),
        sa.Column("user_id", Binary()),
        sa.Column("created_by_email", Binary()),
        sa.Column("name", Binary(), nullable=False),
        sa.Column("folded_name", Binary(), nullable=False),
        sa.Column("description", Binary()),
        sa.Column("live_progress_updates", sa.Boolean()),
        sa.Column("status", Binary(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("error_code", Binary()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("worker_id", Binary()),
        sa.Column("attempt", sa.Integer(), nullable=False),
    )
    for name, *columns in (
        ("pipeline_by_creation", "created_at", "id"),
        ("pipeline_by_update", "updated_at", "id"),
        ("pipeline_by_name", "name", "id"),
        ("pipeline_by_status", "status", "created_at", "id"),
        ("pipeline_by_project", "project_id", "created_at", "id"),
    ):
        op.create_index(name, "pipeline", ["organization_id", *columns])
    at_work = sa.text("status = 'RUNNING'")
    op.create_index("pipeline_at_work", "pipeline", ["started_at"], sqlite_where=at_work, postgresql_where=at_work)
    op.create_table(
        "pipeline_element",
        sa.Column("id", Binary(), primary_key=True),
        sa.Column("pipeline_id", Binary(), sa.ForeignKey("pipeline.id", ondelete="CASCADE"), nullable=False),
        sa.Column("organization_id", Binary(), nullable=False),
        sa.Column("name", Binary(), nullable=False),
        sa.Column("element_order", sa.Integer(), nullable=False),
        sa.Column("element_type", Binary(), nullable=False),
        sa.Column("status", Binary(), nullable=False),
        sa.Column("job_id", Binary()),
        sa.Column("job_status", Binary()),
        sa.Column("error", sa.Text()),
        sa.Column("error_code", Binary()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error_detail", JsonText()),
        sa.Column("result", JsonText()),
        sa.Column("job_config", JsonText(), nullable=False),
        sa.UniqueConstraint("pipeline_id", "element_order"),
        sa.UniqueConstraint("pipeline_id", "name"),
    )
    op.create_index("pipeline_element_by_job", "pipeline_element", ["job_id"], unique=True)
    op.create_table(
        "checkpoint",
        sa.Column("element_id", Binary(), sa.ForeignKey("pipeline_element.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("iteration", sa.Integer()),
        sa.Column("cost", sa.Float()),
        sa.Column("best_cost", sa.Float()),
        sa.Column("parameters", JsonText(), nullable=False),
    )
    op.create_table(
        "worker",
        sa.Column("id", Binary(), primary_key=True),
        sa.Column("heartbeat_at", Instant(), nullable=False),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("organization_id", Binary(), primary_key=True),
        sa.Column("key", Binary(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("pipeline_id", Binary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
    )
