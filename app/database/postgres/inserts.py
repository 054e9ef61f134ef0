"""INSERT statement of PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BindParameter, Insert, String, bindparam, func, insert, select
from sqlalchemy.engine import Dialect

from app.database.changes import CHANNEL, encode_change
from app.database.writes.inserts import InsertColumns, Inserts, PipelineInsert


class PostgresInserts(Inserts):
    """One statement for all rows of a batch and their notifications, which takes one round trip."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        parts = [_insert_all(each).cte(f"new_{each.model.__tablename__}") for each in self.tables]
        payload = _unnested(bindparam("payload", type_=String))
        tell = select(func.pg_notify(bindparam("channel", type_=String), payload))
        self.texts = [str(tell.add_cte(*parts).compile(dialect=dialect))]

    def arrays(self, batch: list[PipelineInsert]) -> list[Any]:
        """Return the parameters of a batch."""
        parameters: list[Any] = []
        for place, table in enumerate(self.tables):
            rows = [row for new in batch for row in new.by_table[place]]
            parameters += zip(*rows, strict=True) if rows else [()] * len(table.names)
        return [*parameters, CHANNEL, [encode_change(new.change()) for new in batch]]


def _insert_all(columns: InsertColumns) -> Insert:
    """Return a statement for any number of rows, with one array per column. Other columns get the table's defaults."""
    rows = select(*map(_unnested, columns.binds))
    return insert(columns.model).from_select(columns.names, rows, include_defaults=False)


def _unnested(bind: BindParameter[Any]) -> Any:
    """Return a column of all rows as one unnested array."""
    return func.unnest(bindparam(bind.key, type_=ARRAY(bind.type)))
