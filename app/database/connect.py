"""Interface of the databases.

SQLite has one connection that writes and a few that only read. One process writes a file; `exclusive` locks the file
against a second one. PostgreSQL has one pool for reads and writes.
"""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from app.auth.private_files import create_private
from app.database.interface import Database
from app.database.postgres.database import Postgres
from app.database.sqlite.database import Sqlite
from app.errors import VoltgraphError

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


@asynccontextmanager
async def open_database(url: URL, max_waiting: int) -> AsyncIterator[Database]:
    """Open the database at `url`, whose tables are up to date; close it on exit."""
    sqlite = url.drivername.startswith("sqlite")
    database: Database = (Sqlite if sqlite else Postgres)(url, max_waiting)
    try:
        yield database
    finally:
        await database.close()
