"""How everything reads and writes, on SQLite and on PostgreSQL.

SQLite has one connection that writes and a few that only read; a file has one process that writes, and
`exclusive` keeps a second one out. PostgreSQL has one pool for both.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from app import events
from app.errors import Busy, NotUnique, VoltgraphError
from app.inserts import Inserts, New
from app.listener import Listener
from app.plain_pool import PlainPool
from app.readers import Pace, Readers, Steps
from app.rounds import Rounds
from app.writer import Work, Writer

T = TypeVar("T")

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
WRITER_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",  # what savepoints can undo: in files it takes as long again as the writes
)
READER_PRAGMAS = ("busy_timeout=5000", "query_only=ON")
READERS = 4
STATEMENTS = 512
"""Statements that a connection keeps prepared."""
PATIENCE = 10.0
"""Seconds to wait for a connection; then the server is busy."""


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


class Database(Protocol):
    """What the rest of the server knows of a database."""

    hub: events.Hub
    """Hears what is committed, by whatever process, once `listen` has returned."""
    inserts: Inserts
    """Make what `store` takes."""

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

    async def store(self, new: New) -> None:
        """Store new rows, all or none, and return once they are committed. NotUnique when one has the key of another
        row."""

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""

    @property
    def waiting_reads(self) -> int:
        """How many series of statements that read do."""

    @property
    def failed_at(self) -> float:
        """When it last could not store something, by the monotonic clock."""

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

    def __init__(self, url: URL, max_waiting: int) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=Pool,
            pool_size=16,
            max_overflow=0,
            pool_timeout=PATIENCE,
            json_deserializer=_as_it_is,
        )
        event.listen(self._engine.sync_engine, "checkout", _require_open)
        self._plain = PlainPool(dict(self._engine.dialect.create_connect_args(url)[1]), PATIENCE)
        self.hub = events.Hub()
        self._listener = Listener(url, self.hub)
        self.inserts = Inserts(self._engine.dialect)
        self._rounds = Rounds[New](self._store, max_waiting)

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

    async def store(self, new: New) -> None:
        await self._rounds.put(new)

    async def _store(self, batch: list[New]) -> list[Exception | None]:
        """One statement is a transaction by itself, in one round trip. Notifying transactions wait for each other:
        they had better be few."""
        try:
            async with self._engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.fetch(*self.inserts.texts, *self.inserts.arrays(batch))
        except asyncpg.PostgresError as error:  # so says the server: each may fare better alone
            if len(batch) > 1:
                raise
            return [NotUnique() if isinstance(error, asyncpg.UniqueViolationError) else error]
        except Exception as error:
            return [error] * len(batch)
        return [None] * len(batch)

    @property
    def waiting(self) -> int:
        return self._rounds.waiting

    @property
    def waiting_reads(self) -> int:
        return self._plain.waiting

    @property
    def failed_at(self) -> float:
        return self._rounds.failed_at

    async def close(self) -> None:
        await self._rounds.close()
        await self._listener.close()
        await self._plain.close()
        await self._engine.dispose()


class Sqlite:
    """A SQLite file: one connection writes, a few others read."""

    def __init__(self, url: URL, max_waiting: int) -> None:
        self._readers = _sqlite_engine(url, READER_PRAGMAS, READERS)
        self._plain = Readers(partial(_connection, url), READERS)
        self.hub = events.Hub()
        self.inserts = Inserts(self._readers.dialect)
        self._writer = Writer(_sqlite_engine(url, WRITER_PRAGMAS, 1), self.inserts, self.hub, max_waiting)

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
        return await self._writer.write(work)

    async def store(self, new: New) -> None:
        await self._writer.store(new)

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


def _require_open(connection: Any, record: object, proxy: object) -> None:
    """Have the pool replace a connection that the server has ended. Asking the server takes three round trips."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


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
    database: Database = (Sqlite if sqlite else Postgres)(url, max_waiting)
    try:
        yield database
    finally:
        await database.close()
