"""INSERT statements of SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import apsw
from sqlalchemy.engine import Dialect

from app.database.writes.inserts import InsertColumns, Inserts, Values

ROWS_AT_ONCE = (64, 16, 4, 1)
"""Numbers of rows of one INSERT, largest first. Each statement opens every index, and the triggers' savepoint, once."""


class SqliteInserts(Inserts):
    """INSERT statements with one statement per table, for one row."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.texts = [_insert(each, dialect) for each in self.tables]


def insert_rows(connection: apsw.Connection, insert: str, rows: Sequence[Values]) -> None:
    """Execute the INSERT of one row for several rows, many in one statement."""
    start = 0
    for count in ROWS_AT_ONCE:
        while len(rows) - start >= count:
            values = chain.from_iterable(rows[start : start + count])
            connection.execute(_multi_row(insert, count), tuple(values))
            start += count


@lru_cache(64)
def _multi_row(insert: str, count: int) -> str:
    """Return the INSERT of one row, whose values are parameters, for a number of rows."""
    head, values = insert.split(" VALUES ")
    return f"{head} VALUES {','.join([values] * count)}"


def _insert(columns: InsertColumns, dialect: Dialect) -> str:
    """Return a statement for one row. `VALUES` takes SQLite two thirds of the time of `SELECT`."""
    quote = dialect.identifier_preparer.quote
    names, marks = ", ".join(map(quote, columns.names)), ",".join("?" * len(columns.names))
    return f"INSERT INTO {quote(columns.model.__tablename__)} ({names}) VALUES ({marks})"
