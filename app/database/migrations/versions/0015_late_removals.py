"""Remove texts from SQLite's full-text indexes together, as new ones enter them.

FTS5 writes the changes that it holds in memory, as a segment, at the savepoint of every statement. Texts that were
removed one by one took most of the time of a deletion, and of a new name. Until they are removed, a search may find
numbers of rows that no longer match or exist: it compares the rows.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

TOGETHER = 256
"""Number of rows that enter and leave the indexes of texts together."""
TEXTS = {
    "pipeline_search": "char(2) || {row}.folded_name || char(1, 1)",
    "pipeline_search_description": "char(2) || lower({row}.description) || char(1, 1)",
}
"""Indexed texts by the table of their index; a null is not indexed."""
LISTED = "SELECT 1 FROM pipeline_search_new WHERE number = old.rowid"
"""Query for a row that is listed as new: the indexes do not hold its text yet."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in ("insert", "index", "update", "delete"):
        op.execute(f"DROP TRIGGER pipeline_search_{name}")
    op.execute("CREATE TABLE pipeline_search_old (number INTEGER PRIMARY KEY, folded_name TEXT, description TEXT)")
    create_index_triggers()
    create_list_triggers()


def create_index_triggers() -> None:
    """Create the triggers on the lists of new rows and of old texts, which bring the indexes up to date. Old texts are
    removed first: the number of a row may be in both lists."""
    remove = [
        f"""INSERT INTO {table} ({table}, rowid, text)
        SELECT 'delete', number, {text.format(row="pipeline_search_old")} FROM pipeline_search_old
        WHERE {text.format(row="pipeline_search_old")} IS NOT NULL ORDER BY number"""
        for table, text in TEXTS.items()
    ]
    # CROSS JOIN, so that SQLite reads the new rows first: because of the condition it would scan all pipelines.
    add = [
        f"""INSERT INTO {table} (rowid, text)
        SELECT number, {text.format(row="pipeline")}
        FROM pipeline_search_new CROSS JOIN pipeline ON pipeline.rowid = number
        WHERE {text.format(row="pipeline")} IS NOT NULL"""
        for table, text in TEXTS.items()
    ]
    work = "; ".join([*remove, "DELETE FROM pipeline_search_old", *add, "DELETE FROM pipeline_search_new"])
    for name, listed in (("index", "new"), ("remove", "old")):
        op.execute(
            f"CREATE TRIGGER pipeline_search_{name} AFTER INSERT ON pipeline_search_{listed} "
            f"WHEN new.number % {TOGETHER} = 0 BEGIN {work}; END"
        )


def create_list_triggers() -> None:
    """Create the triggers on pipelines, which list what the indexes lack in the transaction of the change."""
    remove = f"""INSERT INTO pipeline_search_old SELECT old.rowid, old.folded_name, old.description
        WHERE NOT EXISTS ({LISTED})"""
    changes = "new.folded_name <> old.folded_name OR new.description IS NOT old.description"
    for name, event, work in (
        ("insert", "INSERT ON pipeline", "INSERT INTO pipeline_search_new VALUES (new.rowid)"),
        (
            "update",
            f"UPDATE OF folded_name, description ON pipeline WHEN {changes}",
            f"{remove}; INSERT OR IGNORE INTO pipeline_search_new VALUES (new.rowid)",
        ),
        ("delete", "DELETE ON pipeline", f"{remove}; DELETE FROM pipeline_search_new WHERE number = old.rowid"),
    ):
        op.execute(f"CREATE TRIGGER pipeline_search_{name} AFTER {event} BEGIN {work}; END")
