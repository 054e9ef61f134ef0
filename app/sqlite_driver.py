"""SQLite by APSW: a SQLite of its own, newer than most systems', which hands rows over twice as fast as Python's.

All that a process does with a database goes by one SQLite library. Locks on files belong to processes: a second library
takes them away from the first without knowing of it (https://www.sqlite.org/howtocorrupt.html, section 2.2.1). So
SQLAlchemy gets APSW too, by aiosqlite, as connections that have what those two ask of the standard library's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import aiosqlite
import apsw

from app.private_files import create_private

STATEMENTS = 512
"""Statements that a connection keeps prepared."""
FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX
"""No thread uses a connection while another one does, so none needs a lock of its own."""
CODES = {
    apsw.SQLITE_CONSTRAINT: sqlite3.IntegrityError,
    apsw.SQLITE_MISMATCH: sqlite3.IntegrityError,
    apsw.SQLITE_TOOBIG: sqlite3.DataError,
    apsw.SQLITE_INTERNAL: sqlite3.InternalError,
}
Parameters = Sequence[Any]
# Before the first connection: SQLite shall not count the memory that it takes, which it locks itself for each time.
apsw.shutdown()
apsw.config(apsw.SQLITE_CONFIG_MEMSTATUS, False)
apsw.initialize()


def connect(file: str) -> apsw.Connection:
    """A connection for whatever thread uses it alone; a new file is private. apsw.Error when there can be none."""
    create_private(file)
    return apsw.Connection(file, FLAGS, statementcachesize=STATEMENTS)


def connection(file: str, **_: Any) -> aiosqlite.Connection:
    """The same for SQLAlchemy."""
    connector: Any = partial(Connection, file)
    made = aiosqlite.Connection(connector, iter_chunk_size=64)
    made._thread.daemon = True  # as SQLAlchemy has it of those that it makes itself
    return made


@contextmanager
def errors() -> Iterator[None]:
    """APSW's errors as those of the standard library, with SQLite's code."""
    try:
        yield
    except apsw.Error as error:
        if isinstance(error, apsw.ConnectionClosedError):
            raise sqlite3.OperationalError("connection closed") from error  # so that SQLAlchemy replaces it
        code = getattr(error, "extendedresult", None)
        kind = sqlite3.ProgrammingError if code is None else CODES.get(code & 0xFF, sqlite3.OperationalError)
        made = kind(str(error))
        made.sqlite_errorcode = code or 0
        raise made from error


class Connection:
    """What is asked of a `sqlite3.Connection` whose transactions are begun and ended in SQL."""

    isolation_level = None

    def __init__(self, file: str) -> None:
        with errors():
            self.own = connect(file)
        self.is_closed = False

    @property
    def in_transaction(self) -> bool:
        return not self.is_closed and self.own.in_transaction

    def cursor(self) -> Cursor:
        with errors():
            return Cursor(self.own)

    def commit(self) -> None:
        with errors():
            if self.in_transaction:
                self.own.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction. Where ROLLBACK fails, to close the connection does the same: to raise would leave it
        checked out of its pool, with its snapshot and its locks."""
        try:
            if self.in_transaction:
                self.own.execute("ROLLBACK")
        except apsw.Error:
            self.close()

    def close(self) -> None:
        self.is_closed = True
        self.own.close(True)  # also with statements that have not ended: it is closed because of one, perhaps

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], *, deterministic: bool) -> None:
        self.own.create_scalar_function(name, function, arguments, deterministic=deterministic)


class Cursor:
    """What is asked of a `sqlite3.Cursor`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self._cursor = connection, connection.cursor()
        self._cursor.exec_trace = self._begun
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.arraysize = 1

    def _begun(self, cursor: apsw.Cursor, *_: Any) -> bool:
        """Called before the first row: once a statement without rows has ended, its columns are not known any more."""
        self.description = tuple((name, *[None] * 6) for name, _ in cursor.get_description()) or None
        return True

    @property
    def lastrowid(self) -> int:
        return self._connection.last_insert_rowid()

    def execute(self, sql: str, parameters: Parameters = ()) -> Cursor:
        with errors():
            self._cursor.execute(sql, parameters)
        self.rowcount = self._connection.changes() if self.description is None else -1
        return self

    def executemany(self, sql: str, parameters: Sequence[Parameters]) -> Cursor:
        before = self._connection.total_changes()
        with errors():
            self._cursor.executemany(sql, parameters)
        self.rowcount = self._connection.total_changes() - before
        return self

    def fetchone(self) -> Any:
        with errors():
            return self._cursor.fetchone()

    def fetchmany(self, size: int) -> list[Any]:
        return [row for row in (self.fetchone() for _ in range(size)) if row is not None]

    def fetchall(self) -> list[Any]:
        with errors():
            return self._cursor.fetchall()

    def close(self) -> None:
        with errors():
            self._cursor.close()
