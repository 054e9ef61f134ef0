"""Index texts with characters beyond ASCII, and gather statistics of the names of elements, on PostgreSQL.

Two letters are searched by the trigrams that begin with them, which pg_trgm tells for characters of ASCII only.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TEXTS = {"pipeline_search_name_characters": "folded_name", "pipeline_search_description_characters": "description"}
"""Columns by the name of their index."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    beyond = {name: f"octet_length({column}) - char_length({column})" for name, column in TEXTS.items()}
    for name, count in beyond.items():
        op.execute(f"CREATE INDEX {name} ON pipeline (organization_id) WHERE {count} > 0")
        op.execute(f"CREATE STATISTICS {name}_count ON ({count}) FROM pipeline")
    op.execute("CREATE STATISTICS pipeline_element_names ON (lower(name)) FROM pipeline_element")
    op.execute("ANALYZE pipeline, pipeline_element")
