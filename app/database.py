"""How everything reads and writes, on SQLite and on PostgreSQL.

SQLite has one connection that writes and a few that only read; a file has one process that writes, and
`exclusive` keeps a second one out. PostgreSQL has one pool for both.
"""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import make_url
from sqlalchemy.engine import URL, Dialect
from sqlmodel.ext.asyncio.session import AsyncSession

from app import events
from app.errors import VoltgraphError
from app.inserts import Inserts, New
from app.postgres import Postgres
from app.private_files import create_private
from app.readers import Pace, Steps
from app.recoveries import Recoveries
from app.sqlite import Sqlite
from app.writer import Work

T = TypeVar("T")

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


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
    file = Path(f"{url.database}.lock")
    create_private(file)
    with file.open("a") as lock:
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
    recoveries: Recoveries
    """Count the connections that an error left in a wrong state."""

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

    def store(self, new: New) -> Awaitable[None]:
        """Store new rows, all or none. It is done once they are committed. NotUnique when one has the key of another
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


@asynccontextmanager
async def open_database(url: URL, max_waiting: int) -> AsyncIterator[Database]:
    """The database at `url`, whose tables are up to date. Closes it when left."""
    sqlite = url.drivername.startswith("sqlite")
    database: Database = (Sqlite if sqlite else Postgres)(url, max_waiting)
    try:
        yield database
    finally:
        await database.close()
