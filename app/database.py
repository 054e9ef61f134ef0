"""How everything reads and writes, on SQLite and on PostgreSQL.

SQLite has one connection that writes and a few that only read; a file has one process that writes, and
`exclusive` keeps a second one out. PostgreSQL has one pool for both.
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from app import events
from app.errors import Busy, VoltgraphError
from app.listener import Listener
from app.plain_pool import PlainPool
from app.readers import Pace, Readers, Steps

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
WRITER_PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
READER_PRAGMAS = ("busy_timeout=5000", "query_only=ON")
READERS = 4
STATEMENTS = 512
"""Statements that a connection keeps prepared."""
PATIENCE = 10.0
"""Seconds to wait for a connection; then the server is busy."""
ROUND = 256
"""Most writes that SQLite commits together."""


def database_url(text: str) -> URL:
    """The address of a database with the driver that this server uses. ValueError when it is of another kind."""
    url = make_url(text)
    driver = DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise ValueError(f"the database must be sqlite:///… or postgresql://…, not {url.drivername}://…")
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file: sqlite:///FILE")
    # asyncpg's word for what libpq, and so everybody, calls sslmode.
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername=driver, query=query)


class FileInUse(VoltgraphError):
    """Another process writes this SQLite file."""


@contextmanager
def exclusive(url: URL) -> Iterator[None]:
    """Be the only process that writes this SQLite file; FileInUse when another is. Nothing to do on PostgreSQL."""
    if not url.drivername.startswith("sqlite"):
        yield
        return
    with Path(f"{url.database}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileInUse(f"{url.database} is in use by a running server") from None
        yield


class RolledBack(VoltgraphError):
    """SQLite undid a whole transaction because of one statement in it."""

    def __init__(self, cause: object) -> None:
        super().__init__("the transaction was undone")
        self.cause = cause if isinstance(cause, Exception) else self


class Database(Protocol):
    """What the rest of the server knows of a database."""

    hub: events.Hub
    """Hears what is committed, by whatever process, once `listen` has returned."""

    async def listen(self) -> None:
        """See to it that the hub hears of changes. Does nothing where that is so already."""

    def read(self) -> AsyncSession:
        """A session that only reads: `async with database.read() as session`. One task at a time may use it."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL it understands."""

    def run(self, begin: Callable[[], Steps[T]], pace: Pace) -> Awaitable[T]:
        """What a series of statements returns, which reads all it reads from one snapshot, with no ORM between."""

    async def write(self, work: Work[T]) -> T:
        """What `work` returns, once its changes are committed. When it raises, nothing of it is stored."""

    async def close(self) -> None: ...


class Pool(AsyncAdaptedQueuePool):
    """Connections to a database. Who waits too long for one is told to come again: that is no fault."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except NoneFree:
            raise Busy("Too much waits for the database. Try again.") from None


class Postgres:
    """A pool of connections to a PostgreSQL server."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=Pool,
            pool_size=16,
            max_overflow=0,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            json_deserializer=_as_it_is,
        )
        self._plain = PlainPool(dict(self._engine.dialect.create_connect_args(url)[1]), PATIENCE)
        self.hub = events.Hub()
        self._listener = Listener(url, self.hub)

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    def run(self, begin: Callable[[], Steps[T]], pace: Pace) -> Awaitable[T]:
        return self._plain.run(begin, pace)

    async def listen(self) -> None:
        await self._listener.start()

    def read(self) -> AsyncSession:
        return AsyncSession(self._engine, expire_on_commit=False)

    async def write(self, work: Work[T]) -> T:
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            return await work(session)

    async def close(self) -> None:
        await self._listener.close()
        await self._plain.close()
        await self._engine.dispose()


class Sqlite:
    """A SQLite file: writes that wait are committed together, by one connection; each still stands or falls alone."""

    def __init__(self, url: URL, max_waiting: int) -> None:
        self._readers = _sqlite_engine(url, READER_PRAGMAS, READERS)
        self._plain = Readers(partial(_connection, url), READERS)
        self._writer = _sqlite_engine(url, WRITER_PRAGMAS, 1)
        event.listen(self._writer.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        self.hub = events.Hub()
        self._max_waiting = max_waiting
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def dialect(self) -> Dialect:
        return self._readers.dialect

    def run(self, begin: Callable[[], Steps[T]], pace: Pace) -> Awaitable[T]:
        return self._plain.run(begin, pace)

    async def listen(self) -> None:
        """Nothing to do: this process is the only one that writes."""

    def read(self) -> AsyncSession:
        return AsyncSession(self._readers, expire_on_commit=False)

    async def write(self, work: Work[T]) -> T:
        if len(self._waiting) >= self._max_waiting:
            raise Busy("Too many writes are waiting. Try again.")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await done

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        await self._writer.dispose()
        await self._readers.dispose()
        self._plain.close()

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:ROUND], self._waiting[ROUND:]
                await self._write_round([item for item in batch if not item[1].done()])
        finally:
            self._writing = None

    async def _write_round(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        try:
            async with self._writer.begin() as connection:
                outcomes = [await _in_round(connection, work) for work, _ in batch]
        except Exception as error:  # the transaction itself failed: nothing of it is stored
            if len(batch) > 1:
                for item in batch:
                    await self._write_round([item])
                return
            outcomes = [(error.cause if isinstance(error, RolledBack) else error, [])]
        loop = asyncio.get_running_loop()
        for (_, done), (outcome, changes) in zip(batch, outcomes, strict=True):
            for change in changes:
                loop.call_soon(self.hub.publish, change)
            if done.done():  # its caller has gone
                continue
            if isinstance(outcome, Exception):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)


async def _in_round(connection: AsyncConnection, work: Work[Any]) -> tuple[Any, list[events.Change]]:
    """What comes of one write of a round. RolledBack when SQLite undid the whole round for it, as it does when the
    disk is full: what would follow it was in no transaction, and what went before it is gone."""
    outcome = await _alone(connection, work)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None or not driver.in_transaction:
        raise RolledBack(outcome[0])
    return outcome


async def _alone(connection: AsyncConnection, work: Work[Any]) -> tuple[Any, list[events.Change]]:
    """What `work` returns and what it changed, or the error that it raised after what it did was undone."""
    try:
        async with (
            AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            session.begin(),
        ):
            result = await work(session)
    except Exception as error:
        return error, []
    return result, events.noted(session)


def _as_it_is(text: str) -> str:
    """JSON columns stay text."""
    return text


def _sqlite_engine(url: URL, pragmas: tuple[str, ...], connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=Pool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=PATIENCE,
        connect_args={"isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _connection(url: URL) -> sqlite3.Connection:
    """A connection that only reads, for whatever thread uses it alone."""
    connection = sqlite3.connect(
        str(url.database), isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
    )
    for pragma in READER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


@asynccontextmanager
async def open_database(url: URL, max_waiting: int) -> AsyncIterator[Database]:
    """The database at `url`, whose tables are up to date. Closes it when left."""
    sqlite = url.drivername.startswith("sqlite")
    database: Database = Sqlite(url, max_waiting) if sqlite else Postgres(url)
    try:
        yield database
    finally:
        await database.close()
