"""SQLite driver on APSW, whose SQLite is newer than most systems' and which returns rows twice as fast as `sqlite3`.

A process must use one SQLite library only. File locks belong to processes: a second library would release the locks of
the first (https://www.sqlite.org/howtocorrupt.html, section 2.2.1). SQLAlchemy therefore uses APSW too, through
aiosqlite, over connections with the part of the `sqlite3` interface that these two need.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import aiosqlite
import apsw

from app.auth.private_files import create_private

T = TypeVar("T")
BUSY_TIMEOUT = 5000
"""Milliseconds for which a connection waits for a lock on the file, unless it sets another timeout."""
STATEMENTS = 512
"""Size of a connection's cache of prepared statements."""
FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX
"""Open flags. No two threads use a connection at once, so it needs no mutex."""
CODES = {
    apsw.SQLITE_CONSTRAINT: sqlite3.IntegrityError,
    apsw.SQLITE_MISMATCH: sqlite3.IntegrityError,
    apsw.SQLITE_TOOBIG: sqlite3.DataError,
    apsw.SQLITE_INTERNAL: sqlite3.InternalError,
}
IN_THREAD = ("BEGIN", "COMMIT", "DELETE", "INSERT INTO series_channel", "PRAGMA", "VACUUM")
"""Starts of statements that can take long: they wait for the disk or a lock, or read or write many pages."""
Parameters = Sequence[Any]
# Before the first connection: SQLite takes a lock for each count of its memory statistics.
apsw.shutdown()
apsw.config(apsw.SQLITE_CONFIG_MEMSTATUS, False)
apsw.initialize()


def connect(file: str) -> apsw.Connection:
    """Open a connection for one thread at a time; a new file has mode 0600. Raises apsw.Error."""
    create_private(file)
    made = apsw.Connection(file, FLAGS, statementcachesize=STATEMENTS)
    made.set_busy_timeout(BUSY_TIMEOUT)
    return made


class Threaded(aiosqlite.Connection):
    """Connection whose functions run in its thread. While `is_inline`, short statements run on the event loop instead:
    a visit to the thread costs several times as much as the statement."""

    is_inline = False
    _in_thread = 0
    """Number of functions that the thread has not completed. Its caller may have been canceled meanwhile."""

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if self.is_inline and not self._in_thread and _is_short(fn, args):
            return fn(*args, **kwargs)
        self._in_thread += 1
        # aiosqlite's thread keeps its last function and result, perhaps for hours: they hold nothing.
        work, done = [partial(fn, *args, **kwargs)], []

        def run() -> None:
            try:
                done.append(work.pop()())
            finally:
                self._in_thread -= 1

        await super()._execute(run)  # type: ignore[no-untyped-call]
        return done.pop()


def _is_short(function: Any, arguments: Sequence[Any]) -> bool:
    """Return whether a function of SQLAlchemy's takes little time."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, Cursor):
        return name != "executemany" and not (name == "execute" and arguments[0].startswith(IN_THREAD))
    return isinstance(owner, Connection) and name == "cursor"


def connection(file: str, **_: Any) -> Threaded:
    """Open a connection for SQLAlchemy."""
    connector: Any = partial(Connection, file)
    made = Threaded(connector, iter_chunk_size=64)
    made._thread.daemon = True  # as SQLAlchemy sets it on connections that it opens itself
    return made


def raw(connection: Any) -> Connection:
    """Return the connection behind that of aiosqlite."""
    found: Connection = connection._conn
    return found


def run_in_thread(connection: Any, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
    """Run a function in the thread of a connection."""
    done: Awaitable[T] = connection._execute(function, *arguments)
    return done


@contextmanager
def errors() -> Iterator[None]:
    """Convert APSW's errors to those of the standard library, with SQLite's code."""
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
    """Subset of `sqlite3.Connection` whose transactions begin and end in SQL."""

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
        """Roll back. If ROLLBACK fails, close the connection instead, which has the same effect: an exception would
        leave it checked out of its pool, with its snapshot and its locks."""
        try:
            if self.in_transaction:
                self.own.execute("ROLLBACK")
        except apsw.Error:
            self.close()

    def close(self) -> None:
        self.is_closed = True
        self.own.close(True)  # also with unfinished statements, since one of them may be the reason for closing

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], *, deterministic: bool) -> None:
        self.own.create_scalar_function(name, function, arguments, deterministic=deterministic)


class Cursor:
    """Subset of `sqlite3.Cursor`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self._cursor = connection, connection.cursor()
        self._cursor.exec_trace = self._begun
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.arraysize = 1

    def _begun(self, cursor: apsw.Cursor, *_: Any) -> bool:
        """Store the columns before the first row: they are gone once a statement without rows has ended."""
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
