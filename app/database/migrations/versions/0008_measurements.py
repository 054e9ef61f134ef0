"""Create measurements: cells, files in chunks, previews, uploads, and references of pipelines."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.models.columns import Binary, Instant, JsonText

revision = "0008"
down_revision = "0007"

UNCOMPRESSED = (("measurement_chunk", "content"), ("measurement_channel", "samples"))


def upgrade() -> None:
    create_cells()
    create_measurements()
    create_files()
    create_rights()


def owned(*columns: sa.Column[str]) -> list[sa.Column[Any]]:
    """Return the columns of a row with an owner and a name."""
    return [
        sa.Column("id", Binary(), primary_key=True),
        *columns,
        sa.Column("organization_id", Binary(), nullable=False),
        sa.Column("project_id", Binary(), nullable=False),
        sa.Column("user_id", Binary()),
        sa.Column("created_by_email", Binary()),
        sa.Column("name", Binary(), nullable=False),
        sa.Column("folded_name", Binary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
    ]


def create_cells() -> None:
    op.create_table("cell_specification", *owned(), sa.Column("details", JsonText(), nullable=False))
    op.create_index(
        "cell_specification_name", "cell_specification", ["organization_id", "project_id", "name"], unique=True
    )
    op.create_index("cell_specification_by_creation", "cell_specification", ["organization_id", "created_at", "id"])
    parent: sa.Column[str] = sa.Column(
        "cell_specification_id", Binary(), sa.ForeignKey("cell_specification.id"), nullable=False
    )
    op.create_table("cell_instance", *owned(parent), sa.Column("details", JsonText(), nullable=False))
    op.create_index("cell_instance_name", "cell_instance", ["cell_specification_id", "name"], unique=True)
    op.create_index(
        "cell_instance_by_creation", "cell_instance", ["organization_id", "cell_specification_id", "created_at", "id"]
    )


def create_measurements() -> None:
    op.create_table(
        "measurement",
        *owned(sa.Column("cell_instance_id", Binary(), sa.ForeignKey("cell_instance.id"))),
        sa.Column("notes", Binary()),
        sa.Column("type", Binary(), nullable=False),
        sa.Column("status", Binary(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("format", Binary()),
        sa.Column("file_name", Binary()),
        sa.Column("reader", Binary()),
        sa.Column("row_count", sa.BigInteger()),
        sa.Column("byte_count", sa.BigInteger()),
        sa.Column("sha256", Binary()),
        sa.Column("start_time", Instant()),
        sa.Column("end_time", Instant()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant()),
        sa.Column("tags", JsonText(), nullable=False),
        sa.Column("columns", JsonText()),
        sa.Column("changes", JsonText()),
        sa.Column("details", JsonText(), nullable=False),
        sa.Column("steps", JsonText()),
        sa.Column("cycles", JsonText()),
    )
    for name, *columns in (
        ("measurement_by_creation", "organization_id", "created_at", "id"),
        ("measurement_by_update", "organization_id", "updated_at", "id"),
        ("measurement_by_name", "organization_id", "name", "id"),
        ("measurement_by_project", "organization_id", "project_id", "created_at", "id"),
        ("measurement_by_cell", "cell_instance_id", "created_at", "id"),
    ):
        op.create_index(name, "measurement", columns)
    create_partial(
        "measurement_name", "measurement", ["cell_instance_id", "name"], "status <> 'UPLOADING'", unique=True
    )
    create_partial("measurement_processing", "measurement", ["created_at"], "status = 'PROCESSING'")
    create_partial("measurement_uploading", "measurement", ["created_at"], "status = 'UPLOADING'")
    op.create_table(
        "measurement_tag",
        sa.Column("measurement_id", Binary(), sa.ForeignKey("measurement.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("folded_tag", Binary(), primary_key=True),
    )
    op.create_index("measurement_tag_by_tag", "measurement_tag", ["folded_tag", "measurement_id"])


def create_files() -> None:
    op.create_table(
        "measurement_file",
        sa.Column("id", Binary(), primary_key=True),
        sa.Column("measurement_id", Binary(), nullable=False),
        sa.Column("organization_id", Binary(), nullable=False),
        sa.Column("kind", Binary(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("sha256", Binary()),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
    )
    op.create_index("measurement_file_by_measurement", "measurement_file", ["measurement_id", "kind"])
    op.create_index("measurement_file_by_organization", "measurement_file", ["organization_id", "byte_count"])
    create_partial("measurement_file_incomplete", "measurement_file", ["created_at"], "NOT is_complete")
    op.create_table(
        "measurement_chunk",
        sa.Column("file_id", Binary(), sa.ForeignKey("measurement_file.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "measurement_channel",
        sa.Column("measurement_id", Binary(), sa.ForeignKey("measurement.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", Binary(), nullable=False),
        sa.Column("samples", sa.LargeBinary(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        # The bytes are compressed already, or do not compress.
        for table, column in UNCOMPRESSED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def create_rights() -> None:
    op.create_table(
        "upload",
        sa.Column("token_hash", Binary(), primary_key=True),
        sa.Column("measurement_id", Binary(), sa.ForeignKey("measurement.id", ondelete="CASCADE"), nullable=False),
        sa.Column("most_bytes", sa.BigInteger(), nullable=False),
        sa.Column("exact_bytes", sa.BigInteger()),
        sa.Column("file_id", Binary()),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
    )
    op.create_index("upload_by_measurement", "upload", ["measurement_id"])
    op.create_table(
        "pipeline_measurement",
        sa.Column("pipeline_id", Binary(), sa.ForeignKey("pipeline.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("measurement_id", Binary(), sa.ForeignKey("measurement.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("pipeline_measurement_by_measurement", "pipeline_measurement", ["measurement_id", "pipeline_id"])
    key = op.create_table(
        "signing_key",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    op.bulk_insert(key, [{"id": 1, "key": secrets.token_bytes(32)}])


def create_partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
