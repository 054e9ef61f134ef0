"""Extend lists of pipelines: labels, durations, indexes of filters and orders, and search of names.

Names are searched by trigrams: in SQLite by a full-text index that triggers maintain, in PostgreSQL by the extension
`pg_trgm`. Without the right to create the extension, names are searched row by row.
"""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from app.models.columns import Binary, JsonText

revision = "0009"
down_revision = "0008"

log = logging.getLogger("voltgraph")

TOGETHER = 256
"""Number of rows that enter the index of names together."""
SECONDS = {
    "sqlite": """((strftime('%s', finished_at) - strftime('%s', started_at)) * 1000000
        + substr(finished_at, 21, 6) - substr(started_at, 21, 6)) / 1000000.0""",
    "postgresql": "CAST(EXTRACT(EPOCH FROM finished_at - started_at) AS double precision)",
}
"""Duration of a pipeline, to the microsecond."""


def upgrade() -> None:
    add_columns()
    create_indexes()
    if op.get_bind().dialect.name == "postgresql":
        create_trigrams()
    else:
        create_full_text()


def add_columns() -> None:
    op.add_column("pipeline", sa.Column("duration", sa.Float()))
    op.add_column("pipeline", sa.Column("labels", JsonText(), nullable=False, server_default="[]"))
    op.create_table(
        "pipeline_label",
        sa.Column("pipeline_id", Binary(), sa.ForeignKey("pipeline.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("folded_label", Binary(), primary_key=True),
    )
    seconds = SECONDS[op.get_bind().dialect.name]
    op.execute(f"UPDATE pipeline SET duration = {seconds} WHERE started_at IS NOT NULL AND finished_at IS NOT NULL")


def create_indexes() -> None:
    op.create_index("pipeline_label_by_label", "pipeline_label", ["folded_label", "pipeline_id"])
    for name, column in (("start", "started_at"), ("finish", "finished_at"), ("duration", "duration")):
        op.create_index(f"pipeline_by_{name}", "pipeline", ["organization_id", column, "id"])
    op.create_index("pipeline_by_project_status", "pipeline", ["organization_id", "project_id", "status"])
    for name, column in (("error", "error_code"), ("email", "created_by_email"), ("user", "user_id")):
        where = sa.text(f"{column} IS NOT NULL")
        columns = ["organization_id", column, "created_at", "id"]
        op.create_index(f"pipeline_by_{name}", "pipeline", columns, sqlite_where=where, postgresql_where=where)


def create_trigrams() -> None:
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.execute("CREATE INDEX pipeline_search ON pipeline USING gin (folded_name gin_trgm_ops)")
    except DBAPIError as error:
        log.warning("names are searched without an index, because pg_trgm cannot be created: %s", error.orig)


def create_full_text() -> None:
    """Create the index, without a copy of the names, and the triggers that maintain it in each transaction. Rows are
    identified by `rowid`, which VACUUM keeps in a table with indexes.

    New rows are listed first, and enter the index together: a write of the index for each commit would make creates
    take 1.4 times as long.
    """
    op.execute(
        "CREATE VIRTUAL TABLE pipeline_search USING fts5"
        "(folded_name, content='', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)"
    )
    op.execute("CREATE TABLE pipeline_search_new (number INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO pipeline_search (rowid, folded_name) SELECT rowid, folded_name FROM pipeline")
    remove = """INSERT INTO pipeline_search (pipeline_search, rowid, folded_name)
        SELECT 'delete', old.rowid, old.folded_name
        WHERE NOT EXISTS (SELECT 1 FROM pipeline_search_new WHERE number = old.rowid)"""
    index = """INSERT INTO pipeline_search (rowid, folded_name)
        SELECT pipeline.rowid, folded_name FROM pipeline_search_new JOIN pipeline ON pipeline.rowid = number"""
    for name, event, work in (
        ("insert", "INSERT ON pipeline", "INSERT INTO pipeline_search_new VALUES (new.rowid)"),
        ("index", f"INSERT ON pipeline WHEN new.rowid % {TOGETHER} = 0", f"{index}; DELETE FROM pipeline_search_new"),
        (
            "update",
            "UPDATE OF folded_name ON pipeline WHEN new.folded_name <> old.folded_name",
            f"{remove}; INSERT OR IGNORE INTO pipeline_search_new VALUES (new.rowid)",
        ),
        ("delete", "DELETE ON pipeline", f"{remove}; DELETE FROM pipeline_search_new WHERE number = old.rowid"),
    ):
        op.execute(f"CREATE TRIGGER pipeline_search_{name} AFTER {event} BEGIN {work}; END")
