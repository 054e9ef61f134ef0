"""Kinds of databases, and the database at a URL.

SQLite has one connection that writes and a few that only read. One process writes a file; `exclusive` locks the file
against a second one. PostgreSQL has one pool for reads and writes.
"""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from app.auth.private_files import create_private
from app.database.interface import Backend, Database
from app.database.postgres.backend import PostgresBackend
from app.database.sqlite.backend import SqliteBackend
from app.errors import VoltgraphError
from app.models.sql import is_file, register

BACKENDS: tuple[Backend, ...] = (SqliteBackend(), PostgresBackend())
"""All kinds of databases."""
_by_scheme = {scheme: backend for backend in BACKENDS for scheme in backend.schemes}
for _backend in BACKENDS:
    register(_backend.sql)


def backend_of(url: URL) -> Backend:
    """Return the kind of the database at `url`. Raises ValueError for an unknown one."""
    try:
        return _by_scheme[url.drivername.partition("+")[0]]
    except KeyError:
        examples = " or ".join(backend.example for backend in BACKENDS)
        raise ValueError(f"the database must be {examples}, not {url.drivername}://…") from None


def database_url(text: str) -> URL:
    """Return the URL of a database with this server's driver. Raises ValueError for another kind of database."""
    url = make_url(text)
    return backend_of(url).url(url)


class FileInUse(VoltgraphError):
    """Another process writes this SQLite file."""


@contextmanager
def exclusive(url: URL) -> Iterator[None]:
    """Lock the file of a database for this process. Raises FileInUse if another process has the lock. Does nothing if
    the database is a server."""
    if not is_file(url):
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
    database = backend_of(url).open(url, max_waiting)
    try:
        yield database
    finally:
        await database.close()
