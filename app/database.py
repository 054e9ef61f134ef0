"""Interface of the databases.

SQLite has one connection that writes and a few that only read. One process writes a file; `exclusive` locks the file
against a second one. PostgreSQL has one pool for reads and writes.
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
    """Return the URL of a database with this server's driver. Raises ValueError for another kind of database."""
    url = make_url(text)
    driver = DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise ValueError(f"the database must be sqlite:///… or postgresql://…, not {url.drivername}://…")
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file: sqlite:///FILE")
    # asyncpg names libpq's `sslmode` differently.
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername=driver, query=query)


class FileInUse(VoltgraphError):
    """Another process writes this SQLite file."""


@contextmanager
def exclusive(url: URL) -> Iterator[None]:
    """Lock a SQLite file for this process. Raises FileInUse if another process has the lock. Does nothing on
    PostgreSQL."""
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
    """Interface of a database."""

    hub: events.Hub
    """Broker of the committed changes of all processes; it receives them once `listen` has returned."""
    inserts: Inserts
    """Builds the rows that `store` takes."""
    recoveries: Recoveries
    """Counters of connections that an error left in a wrong state."""

    async def listen(self) -> None:
        """Make sure that the hub receives changes. Idempotent."""

    def read(self) -> AsyncSession:
        """Return a session that only reads: `async with database.read() as session`. One task at a time may use it."""

    @property
    def dialect(self) -> Dialect:
        """SQL dialect."""

    def run(self, begin: Callable[[], Steps[T]], pace: Pace) -> Awaitable[T]:
        """Run a query of one or several statements in one snapshot, without the ORM."""

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction and return its result once it is committed. Nothing is stored if it raises."""

    def store(self, new: New) -> Awaitable[None]:
        """Store new rows, all or none; done once they are committed. Raises NotUnique if a row with the same key
        exists."""

    @property
    def waiting(self) -> int:
        """Number of queued writes."""

    @property
    def waiting_reads(self) -> int:
        """Number of queued queries."""

    @property
    def failed_at(self) -> float:
        """Time of the last failed write, by the monotonic clock."""

    async def close(self) -> None: ...


@asynccontextmanager
async def open_database(url: URL, max_waiting: int) -> AsyncIterator[Database]:
    """Open the database at `url`, whose tables are up to date; close it on exit."""
    sqlite = url.drivername.startswith("sqlite")
    database: Database = (Sqlite if sqlite else Postgres)(url, max_waiting)
    try:
        yield database
    finally:
        await database.close()
