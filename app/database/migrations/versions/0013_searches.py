"""Index descriptions, short texts, elements, and orders of pipelines with a status.

SQLite's full-text index has one character before and two after each text, so that the first letters, and the last one
or two, are trigrams too. Its tables of terms find the trigrams that begin with one or two letters.
"""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0013"
down_revision = "0012"

log = logging.getLogger("voltgraph")

TOGETHER = 256
"""Number of rows that enter the indexes of texts together."""
TEXTS = {
    "pipeline_search": "char(2) || {row}.folded_name || char(1, 1)",
    "pipeline_search_description": "char(2) || lower({row}.description) || char(1, 1)",
}
"""Indexed texts by the table of their index; a null is not indexed."""


def upgrade() -> None:
    op.create_index(
        "pipeline_element_by_status", "pipeline_element", ["organization_id", "status", "element_type", "name"]
    )
    for name, column in (("start", "started_at"), ("finish", "finished_at"), ("duration", "duration")):
        where = sa.text(f"{column} IS NOT NULL")
        columns = ["organization_id", "status", column, "id"]
        op.create_index(f"pipeline_by_status_{name}", "pipeline", columns, sqlite_where=where, postgresql_where=where)
    if op.get_bind().dialect.name == "postgresql":
        create_trigrams()
        create_statistics()
    else:
        create_full_text()


def create_trigrams() -> None:
    try:
        with op.get_bind().begin_nested():
            op.execute(
                "CREATE INDEX pipeline_search_description ON pipeline USING gin (lower(description) gin_trgm_ops)"
                " WHERE description IS NOT NULL"
            )
    except DBAPIError as error:
        log.warning("descriptions are searched without an index, because pg_trgm is missing: %s", error.orig)


def create_statistics() -> None:
    """Create statistics for conditions that depend on each other, and of an expression. They are gathered at once:
    until then, the planner would take each search of a description for one with few matches."""
    op.execute("CREATE STATISTICS pipeline_search_description_texts ON (lower(description)) FROM pipeline")
    op.execute("CREATE STATISTICS pipeline_element_kinds (mcv) ON status, element_type, name FROM pipeline_element")
    op.execute("ANALYZE pipeline, pipeline_element")


def create_full_text() -> None:
    """Create the indexes and the triggers that maintain them in each transaction, as the migration 0009 did for
    names."""
    for name in ("insert", "index", "update", "delete"):
        op.execute(f"DROP TRIGGER pipeline_search_{name}")
    op.execute("DROP TABLE pipeline_search")
    op.execute("DELETE FROM pipeline_search_new")
    for table, text in TEXTS.items():
        op.execute(
            f"CREATE VIRTUAL TABLE {table} USING fts5"
            "(text, content='', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)"
        )
        op.execute(f"CREATE VIRTUAL TABLE {table}_terms USING fts5vocab({table}, instance)")
        indexed = text.format(row="pipeline")
        op.execute(
            f"INSERT INTO {table} (rowid, text) SELECT rowid, {indexed} FROM pipeline WHERE {indexed} IS NOT NULL"
        )
    create_triggers()


def create_triggers() -> None:
    # CROSS JOIN, so that SQLite reads the new rows first: because of the condition it would scan all pipelines.
    index = [
        f"""INSERT INTO {table} (rowid, text)
        SELECT number, {text.format(row="pipeline")}
        FROM pipeline_search_new CROSS JOIN pipeline ON pipeline.rowid = number
        WHERE {text.format(row="pipeline")} IS NOT NULL"""
        for table, text in TEXTS.items()
    ]
    remove = [
        f"""INSERT INTO {table} ({table}, rowid, text) SELECT 'delete', old.rowid, {text.format(row="old")}
        WHERE {text.format(row="old")} IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM pipeline_search_new WHERE number = old.rowid)"""
        for table, text in TEXTS.items()
    ]
    changes = "new.folded_name <> old.folded_name OR new.description IS NOT old.description"
    for name, event, work in (
        ("insert", "INSERT ON pipeline", ["INSERT INTO pipeline_search_new VALUES (new.rowid)"]),
        (
            "index",
            f"INSERT ON pipeline WHEN new.rowid % {TOGETHER} = 0",
            [*index, "DELETE FROM pipeline_search_new"],
        ),
        (
            "update",
            f"UPDATE OF folded_name, description ON pipeline WHEN {changes}",
            [*remove, "INSERT OR IGNORE INTO pipeline_search_new VALUES (new.rowid)"],
        ),
        ("delete", "DELETE ON pipeline", [*remove, "DELETE FROM pipeline_search_new WHERE number = old.rowid"]),
    ):
        op.execute(f"CREATE TRIGGER pipeline_search_{name} AFTER {event} BEGIN {'; '.join(work)}; END")
