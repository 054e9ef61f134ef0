"""Kinds of databases, and the database at a URL.

SQLite has one connection that writes and a few that only read. One process writes a file; `exclusive` locks the file
against a second one, and the lock file holds the address at which that process serves. PostgreSQL has one pool for
reads and writes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from app.auth.private_files import create_private
from app.database.interface import Backend, Database, Pools
from app.database.postgres.backend import PostgresBackend
from app.database.sqlite.backend import SqliteBackend
from app.errors import VoltgraphError, WrongUrl
from app.models.sql import is_file, register

BACKENDS: tuple[Backend, ...] = (SqliteBackend(), PostgresBackend())
"""All kinds of databases."""
_FORMS = (
    "Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "and @ : / # in the password as %40 %3A %2F %23."
)
_by_scheme = {scheme: backend for backend in BACKENDS for scheme in backend.schemes}
DEFAULT_POOLS = Pools()
for _backend in BACKENDS:
    register(_backend.sql)


def backend_of(url: URL) -> Backend:
    """Return the kind of the database at `url`. Raises WrongUrl for an unknown one."""
    try:
        return _by_scheme[url.drivername.partition("+")[0]]
    except KeyError:
        examples = " or ".join(backend.example for backend in BACKENDS)
        raise WrongUrl(f"The database must be {examples}, not {url.drivername}://…") from None


def database_url(text: str) -> URL:
    """Return the URL of a database with this server's driver. Raises WrongUrl for another kind of database."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise WrongUrl(f"It is no URL. {_FORMS}") from None
    if url.host is not None and "@" in str(url.database):
        raise WrongUrl(f"It has an @ after its host. {_FORMS}")
    return backend_of(url).url(url)


def shown_url(url: URL) -> str:
    """Return a URL as a user writes it, with the password hidden."""
    kind = url.drivername.partition("+")[0]
    return url.set(drivername=kind).render_as_string(hide_password=True)


class FileInUse(VoltgraphError):
    """Another process writes this SQLite file. `server` is the address at which it serves the file to this machine."""

    def __init__(self, message: str, server: str | None) -> None:
        super().__init__(message)
        self.server = server


@contextmanager
def exclusive(url: URL) -> Iterator[None]:
    """Lock the file of a database for this process. Raises FileInUse if another process has the lock. Does nothing if
    the database is a server."""
    if not is_file(url):
        yield
        return
    file = _lock_of(url)
    create_private(file)
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(url) from None
        _describe(url, None)
        yield


def record_server(url: URL, address: str) -> None:
    """Record the address at which this process serves the file that it has locked. Does nothing if the database is a
    server."""
    if is_file(url):
        _describe(url, address)


def server_of(url: URL) -> str | None:
    """Return the address of the server that uses the file of a database on this machine, if one does."""
    if not is_file(url) or not _lock_of(url).exists():
        return None
    try:
        with exclusive(url):
            return None
    except FileInUse as error:
        return error.server


def _lock_of(url: URL) -> Path:
    return Path(f"{url.database}.lock")


def _describe(url: URL, server: str | None) -> None:
    """Write a line about this process to the lock file that it holds, by one call: another process may read it."""
    holder = {"machine": os.uname().nodename, "pid": os.getpid(), "server": server}
    line = f"{json.dumps(holder)}\n".encode()
    file = os.open(_lock_of(url), os.O_WRONLY)
    try:
        os.pwrite(file, line, 0)
        os.ftruncate(file, len(line))
    finally:
        os.close(file)


def _in_use(url: URL) -> FileInUse:
    """Return the error that names the process which has locked a file. An address counts on its own machine only: in a
    container, or over a network file system, it may lead to another server."""
    holder: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        holder = json.loads(_lock_of(url).read_text().partition("\n")[0])
    if (machine := holder.get("machine", os.uname().nodename)) != os.uname().nodename:
        return FileInUse(f"{url.database} is in use by a process of {machine}", None)
    if server := holder.get("server"):
        return FileInUse(f"{url.database} is in use by the server at {server}", server)
    process = f"the process {holder['pid']}" if "pid" in holder else "another process"
    return FileInUse(f"{url.database} is in use by {process}", None)


@asynccontextmanager
async def open_database(url: URL, max_waiting: int, pools: Pools = DEFAULT_POOLS) -> AsyncIterator[Database]:
    """Open the database at `url`, whose tables are up to date; close it on exit."""
    database = backend_of(url).open(url, max_waiting, pools)
    try:
        yield database
    finally:
        await database.close()
