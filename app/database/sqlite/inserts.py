"""INSERT statements of SQLite."""

from sqlalchemy.engine import Dialect

from app.database.writes.inserts import InsertColumns, Inserts


class SqliteInserts(Inserts):
    """INSERT statements with one statement per table, executed per row."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.texts = [_insert(each, dialect) for each in self.tables]


def _insert(columns: InsertColumns, dialect: Dialect) -> str:
    """Return a statement for one row. `VALUES` takes SQLite two thirds of the time of `SELECT`."""
    quote = dialect.identifier_preparer.quote
    names, marks = ", ".join(map(quote, columns.names)), ", ".join("?" * len(columns.names))
    return f"INSERT INTO {quote(columns.model.__tablename__)} ({names}) VALUES ({marks})"
