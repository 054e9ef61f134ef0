"""SQLite: one connection writes, a few others read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import Any, TypeVar

import apsw
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import telemetry
from app.database.broker import Broker
from app.database.engines import LimitedSession, engine
from app.database.interface import Work
from app.database.recoveries import Recoveries
from app.database.sqlite import driver, vacuum
from app.database.sqlite.checkpoints import Checkpoints
from app.database.sqlite.inserts import SqliteInserts
from app.database.sqlite.reader import SqliteReader
from app.database.sqlite.writer import Writer
from app.database.writes.inserts import PipelineInsert
from app.database.writes.mutations import SHORT, Mutation
from app.database.writes.mutations import Steps as MutationSteps

T = TypeVar("T")
LOG_AHEAD = "journal_mode=WAL"
WRITER_PRAGMAS = (
    LOG_AHEAD,
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",  # savepoint journals in memory: in files they take as long as the writes
)
READER_PRAGMAS = ("query_only=ON",)
READERS = 4
SESSION_READER = "session_reader"
STEPS, STEP_PAUSE = 2_000, 0.02
"""Maximum number of steps of one call of `free_space`, which are 2 GB, and the seconds between two."""


class Sqlite:
    """A SQLite database."""

    reads_inline = True
    _limit: asyncio.Semaphore | None = None

    def __init__(self, url: URL, max_waiting: int) -> None:
        _log_ahead(url)
        self._readers = _engine(url, READER_PRAGMAS, READERS)
        self.recoveries = Recoveries()
        self.recoveries.watch(self._readers, SESSION_READER)
        self._plain = SqliteReader(partial(_connection, url), READERS, self.recoveries)
        self.run = self._plain.run
        self.broker = Broker()
        self.inserts = SqliteInserts(self._readers.dialect)
        writer, checkpoints = _engine(url, WRITER_PRAGMAS, 1), Checkpoints(partial(driver.connect, str(url.database)))
        self._writer = Writer(
            writer, checkpoints, self.inserts, self.broker, max_waiting, self._plain.written, self.recoveries
        )

    @property
    def dialect(self) -> Dialect:
        return self._readers.dialect

    async def listen(self) -> None:
        """Do nothing: only this process writes."""

    def read(self) -> AsyncSession:
        if self._limit is not None:
            return LimitedSession(self._limit, self._readers)
        return AsyncSession(self._readers, expire_on_commit=False)

    def limited(self) -> Sqlite:
        view = copy(self)
        view._limit = asyncio.Semaphore(READERS // 2)
        return view

    async def write(self, work: Work[T], *, is_short: bool = False) -> T:
        if telemetry.tracer is None:
            return await self._writer.write(work, is_short=is_short)
        with telemetry.span("write"):
            return await self._writer.write(work, is_short=is_short)

    def store(self, new: PipelineInsert) -> Awaitable[None]:
        return _traced(self._writer.put(new))

    def mutate(
        self, begin: Callable[[], MutationSteps[T]], size: int = SHORT, *, is_durable: bool = True
    ) -> Awaitable[T]:
        return _traced(self._writer.put(Mutation(begin, size, is_durable)))

    async def free_space(self) -> None:
        """Give pages back from the end of the file, in steps that delay no writer."""
        for _ in range(STEPS):
            if await self.write(vacuum.step) == 0:
                return
            await asyncio.sleep(STEP_PAUSE)

    async def count_old_queue(self) -> int:
        """Return 0: the queue had a file of its own, which is removed when the database is opened."""
        return 0

    async def remove_old_queue(self) -> int:
        return 0

    @property
    def waiting(self) -> int:
        return self._writer.waiting

    @property
    def waiting_reads(self) -> int:
        return self._plain.waiting

    @property
    def failed_at(self) -> float:
        return self._writer.failed_at

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.dispose()
        self._plain.close()


def _traced(written: Awaitable[T]) -> Awaitable[T]:
    return written if telemetry.tracer is None else telemetry.wait("write", written)


def _engine(url: URL, pragmas: tuple[str, ...], connections: int) -> AsyncEngine:
    made = engine(url, connections, connect_args={"async_creator_fn": driver.connection})

    @event.listens_for(made.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(made.sync_engine, "checkout")
    def require_open(connection: Any, _record: object, _proxy: object) -> None:
        """Make the pool replace a connection that was closed to undo its transaction."""
        if driver.raw(connection.driver_connection).is_closed:
            raise DisconnectionError("its transaction could not be rolled back")

    return made


def _log_ahead(url: URL) -> None:
    """Create the write-ahead log before the first read: without it, a snapshot takes seven system calls instead of
    three."""
    connection = driver.connect(str(url.database))
    connection.execute(f"PRAGMA {LOG_AHEAD}")
    connection.close()


def _connection(url: URL) -> apsw.Connection:
    """Open a read-only connection for use by one thread at a time."""
    connection = driver.connect(str(url.database))
    for pragma in READER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection
