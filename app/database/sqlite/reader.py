"""SQLite reader without the ORM: runs queries of one or several statements, each in one snapshot.

Most queries take less time than handing them to a thread. Each query therefore starts on the event loop; a query that
exceeds its time budget is interrupted and restarted in a thread.

Locking a file and checking whether it changed takes three system calls per snapshot. Only this process writes the file,
so all queries on the event loop share one snapshot until the process writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import inf
from time import perf_counter, thread_time
from typing import Any, TypeVar

import apsw

from app.database.interface import LONGEST, UNMEASURED, Measure, Measured, ReadBudget, Steps, TooLong
from app.database.recoveries import Recoveries
from app.errors import Busy

T = TypeVar("T")
Execute = Callable[[str, Sequence[Any]], apsw.Cursor]
GLANCE = 2000
"""SQLite VM instructions between progress-handler calls (about ten a row). A query that ends before the first call is
never timed."""
MOMENTS, PAUSE = 0.005, 0.05
"""Time budget after the first progress-handler call: seconds of CPU time, and of wall time."""
RESTING = 20
"""Number of runs that go straight to a thread after a run exceeded its time budget."""
HELD = 0.05
"""Seconds for which a snapshot is shared. A write of another program, which is not allowed, stays unseen that long at
most."""
OWN_PRAGMAS = ("busy_timeout=0", "cache_size=-65536")
"""Pragmas of the event loop's connection: it never waits for a lock and caches at most 64 MB of pages."""
MOST_WAITING = 1000
"""Maximum number of queries queued for the threads."""
GIVEN_UP = (apsw.InterruptError, apsw.BusyError)
UNTIMED = inf, inf
"""Start times while no read is running: the read never exceeds its time budget."""
EVENT_LOOP_READER, THREAD_READER = "event_loop_reader", "thread_reader"


class ReadConnection:
    """Connection that is outside of a transaction when a read begins, whatever errors earlier reads had.

    A transaction that stays open is an old snapshot: reads without a transaction of their own would be answered from
    it, and SQLite could not restart its write-ahead log. A connection that can neither commit nor roll back is
    replaced.
    """

    __slots__ = ("_connect", "_connection", "_is_closed", "_longest", "_recovered", "execute")

    execute: Execute
    _longest: int

    def __init__(self, connect: Callable[[], apsw.Connection], recovered: Callable[[object], None]) -> None:
        """`recovered` is called with the reason for each rollback or replacement."""
        self._connect, self._recovered = connect, recovered
        self._open()

    def begin(self) -> None:
        """Begin a snapshot."""
        self.require_clean()
        try:
            self.execute("BEGIN", ())
        except apsw.Error as error:
            self._recover(error)
            self.require_clean()
            self.execute("BEGIN", ())

    def end(self) -> None:
        """End the snapshot, if one is open. Never raises: the error of a read matters more than that of its end."""
        try:
            if not self._is_closed and self._connection.in_transaction:
                self.execute("COMMIT", ())
        except Exception as error:
            self._recover(error)

    def require_clean(self) -> None:
        """Roll back a transaction that was left open, and reopen a closed connection."""
        if not self._is_closed and self._connection.in_transaction:
            self._recover("a transaction was left open")
        if self._is_closed:
            self._open()

    def limit(self, longest: int) -> None:
        """Limit the bytes of each value that SQLite reads or creates."""
        if longest != self._longest:
            self._longest = longest
            self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, longest)

    def close(self) -> None:
        """Close the connection; SQLite then ends its transaction."""
        self._is_closed = True
        self._connection.close(True)

    def _open(self) -> None:
        self._connection = self._connect()
        # Without it, each run of a statement with LIMIT or json_each parses it again, to plan for the bound values.
        self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        self._is_closed = False
        self._longest = LONGEST
        self.execute = self._connection.cursor().execute

    def _recover(self, cause: object) -> None:
        """Roll back; if that fails, close the connection: the next read opens another one."""
        self._recovered(cause)
        try:
            if self._connection.in_transaction:
                self.execute("ROLLBACK", ())
        except Exception:
            self.close()


class SqliteReader:
    """SQLite reader: one connection for the event loop, and a pool of connections for threads."""

    def __init__(self, connect: Callable[[], apsw.Connection], threads: int, recoveries: Recoveries) -> None:
        self._connect, self._recoveries = connect, recoveries
        for connection in (EVENT_LOOP_READER, THREAD_READER):
            recoveries.register(connection)
        self._own: ReadConnection | None = None
        self._free: list[ReadConnection] = []
        self._threads = ThreadPoolExecutor(threads, "reader")
        self._since: tuple[float, float] | None = UNTIMED
        """CPU time and wall time at which the progress handler was first called during this read; None before. SQLite
        counts the instructions of a prepared statement over all its runs, so BEGIN and COMMIT call the handler too."""
        self._waiting = 0
        self._held: asyncio.TimerHandle | None = None
        """Timer that ends the shared snapshot."""
        self._writes = False

    async def run(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> T:
        """Run a query and return its result; the query may be started twice. Raises Busy if too many queries wait,
        TooLong for a value that exceeds its limit, and the errors of the query and of SQLite."""
        if pace.resting:
            pace.resting -= 1
        else:
            try:
                return self._run_here(begin(), pace)
            except GIVEN_UP:
                pace.resting = RESTING
        return await self._hand_over(begin, pace)

    @contextmanager
    def written(self) -> Iterator[None]:
        """Context of the writer's commit. Ends the shared snapshot, so that later reads see the commit and SQLite can
        restart its write-ahead log."""
        self._let_go()
        self._writes = True
        try:
            yield
        finally:
            self._writes = False

    @property
    def waiting(self) -> int:
        """Number of queries queued for the threads."""
        return self._waiting

    def close(self) -> None:
        self._let_go()
        self._threads.shutdown()
        for connection in (self._own, *self._free):
            if connection is not None:
                connection.close()

    async def _hand_over(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> T:
        if self._waiting >= MOST_WAITING:
            raise Busy("Too many queries wait for the database. Try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run_there, begin, pace)
        finally:
            self._waiting -= 1

    def _run_here(self, steps: Steps[T], pace: ReadBudget) -> T:
        own = self._own or self._open()
        if self._writes:
            return drive(steps, own, pace, self._timed)
        if self._held is None:
            own.begin()
            self._held = asyncio.get_running_loop().call_later(HELD, self._let_go)
        try:
            own.limit(pace.longest)
            self._since = None
            return _drive(steps, own.execute)
        except BaseException:
            self._since = UNTIMED
            self._let_go()
            raise
        finally:
            self._since = UNTIMED

    def _timed(self, steps: Steps[T], execute: Execute) -> T:
        """Run statements under the progress handler. The handler must not interrupt any other call on the
        connection."""
        self._since = None
        try:
            return _drive(steps, execute)
        finally:
            self._since = UNTIMED

    def _open(self) -> ReadConnection:
        self._own = ReadConnection(self._connect_own, partial(self._recoveries.add, EVENT_LOOP_READER))
        return self._own

    def _connect_own(self) -> apsw.Connection:
        connection = self._connect()
        for pragma in OWN_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.set_progress_handler(self._takes_long, GLANCE)
        return connection

    def _let_go(self) -> None:
        """End the shared snapshot."""
        if self._held is not None and self._own is not None:
            self._held.cancel()
            self._held = None
            self._own.end()

    def _takes_long(self) -> bool:
        now = perf_counter()
        if self._since is None:
            self._since = thread_time(), now
        began, at = self._since
        return now - at > MOMENTS and (thread_time() - began > MOMENTS or now - at > PAUSE)

    def _run_there(self, begin: Callable[[], Steps[T]], pace: ReadBudget) -> T:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = ReadConnection(self._connect, partial(self._recoveries.add, THREAD_READER))
        try:
            return drive(begin(), connection, pace, _drive)
        finally:
            self._free.append(connection)


def drive(steps: Steps[T], connection: ReadConnection, pace: ReadBudget, run: Callable[[Steps[T], Execute], T]) -> T:
    """Run a query in a snapshot of its own."""
    if pace.is_single:
        connection.require_clean()
        connection.limit(pace.longest)
        return run(steps, connection.execute)
    connection.begin()
    try:
        connection.limit(pace.longest)
        return run(steps, connection.execute)
    finally:
        connection.end()


def _drive(steps: Steps[T], execute: Execute) -> T:
    try:
        statement = next(steps)
        while True:
            cursor = execute(*statement)
            rows = _read(cursor, statement.measure) if isinstance(statement, Measured) else cursor.fetchall()
            statement = steps.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result
    except apsw.TooBigError:
        raise TooLong from None


def _read(cursor: apsw.Cursor, measure: Measure) -> list[Any]:
    """Read rows and measure them before many bytes are held: rows can be of any length."""
    rows: list[Any] = []
    places, size, start = measure.places, 0, 0
    if not places:
        rows = cursor.fetchall()
        measure(rows)
        return rows
    for row in cursor:
        rows.append(row)
        for place in places:
            if value := row[place]:
                size += len(value)
        if size > UNMEASURED:
            measure(rows[start:])
            size, start = 0, len(rows)
    measure(rows[start:])
    return rows
