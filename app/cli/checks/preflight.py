"""Checks of the database, its file and the port, before a command needs them. Each failure says what to do."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from app.auth.keys import KeyStore, keys_url, open_keys
from app.database.connect import backend_of, exclusive, shown_url
from app.database.migrations import current, head, knows
from app.errors import VoltgraphError
from app.models.sql import is_file

T = TypeVar("T")
HEADER = b"SQLite format 3\0"
PATIENCE = 10.0
"""Seconds within which PostgreSQL must accept a connection."""
PASSWORD_ADVICE = "In a password, write @ : / # ? and % as %40 %3A %2F %23 %3F and %25."


class NotUsable(VoltgraphError):
    """A database, port or server is not usable now; the message says what to do."""


def check_database(url: URL, *, writes: bool = True) -> str | None:
    """Return the revision of the database's tables; None if it is new. With `writes`, the file must be free. Raises
    NotUsable."""
    if is_file(url):
        check_file(Path(str(url.database)))
        if writes:
            with exclusive(url):
                pass
        if not Path(str(url.database)).exists():
            return None
    revision = asyncio.run(_revision(url))
    if revision is not None and not knows(revision):
        raise NotUsable(
            f"{shown_url(url)} has tables of a newer Voltgraph (revision {revision}; this one knows {head()}). "
            "Install that version again, or restore a backup made before the upgrade."
        )
    return revision


def check_file(file: Path) -> None:
    """Check that a SQLite file can be used, or created. Raises NotUsable."""
    folder = file.parent.resolve()
    if not folder.is_dir():
        raise NotUsable(f"The folder {folder} of the database does not exist. Create it, or correct the database URL.")
    if file.is_dir():
        raise NotUsable(f"{file} is a folder. Name a file in it: sqlite:///{file}/voltgraph.db")
    try:
        _try_file(file)
    except OSError as error:
        who = f"user {os.getuid()}"
        raise NotUsable(
            f"{file} cannot be written by {who}: {error.strerror}. Give that user the folder {folder} and the file, "
            "or choose another file with --database-url sqlite:///FILE."
        ) from None
    if file.exists() and (beginning := _beginning(file)) and beginning != HEADER:
        raise NotUsable(f"{file} is no SQLite database. Choose another file with --database-url sqlite:///FILE.")


def _try_file(file: Path) -> None:
    """Open an existing file for writing, or write beside the one to create: SQLite needs files beside its own too."""
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    lock = Path(f"{file}.lock")
    os.close(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600))


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(len(HEADER))


async def _revision(url: URL) -> str | None:
    """Return the revision of the tables. Raises NotUsable if the database cannot be reached."""
    engine = backend_of(url).check_engine(url)
    try:
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            return await connection.run_sync(current)
    except Exception as error:
        raise NotUsable(_unreachable(url, error)) from None
    finally:
        await engine.dispose()


def with_keys(url: URL, work: Callable[[KeyStore], Awaitable[T]]) -> T:
    """Run a function with the API keys of a database. Raises NotUsable."""
    check_database(url, writes=False)

    async def opened() -> T:
        async with open_keys(url) as keys:
            return await work(keys)

    try:
        return asyncio.run(opened())
    except (SQLAlchemyError, OSError) as error:
        raise NotUsable(_unreachable(keys_url(url), error)) from None


def _unreachable(url: URL, error: BaseException) -> str:
    """Return why a database cannot be used, and what to do."""
    if is_file(url):
        is_passing = backend_of(url).sql.is_unavailable(root_cause(error))
        advice = "Try again." if is_passing else "Restore it from a backup, or choose another file."
        return f"{url.database} cannot be read: {first_line(error)}. {advice}"
    place = f"PostgreSQL at {url.host or 'localhost'}:{url.port or 5432}"
    cause = root_cause(error)
    if isinstance(cause, socket.gaierror):
        return f"{place}: unknown host. Correct the host of the database URL. {PASSWORD_ADVICE}"
    if isinstance(cause, OSError | TimeoutError):
        return f"{place} does not answer: {first_line(cause)}. Start it, or correct the database URL."
    kind = type(cause).__name__
    if kind in ("InvalidPasswordError", "InvalidAuthorizationSpecificationError"):
        return f"{place} refuses user {url.username!r}: {first_line(cause)}. {PASSWORD_ADVICE}"
    if kind == "InvalidCatalogNameError":
        return f"{place} has no database {url.database!r}. Create it: createdb -h HOST -U USER {url.database}"
    return f"{place} cannot be used: {kind}: {first_line(cause)}"


def root_cause(error: BaseException) -> BaseException:
    """Return the first error of a chain: drivers wrap what the network or the database said."""
    while isinstance(error, Exception) and (inner := getattr(error, "orig", None) or error.__cause__) is not None:
        error = inner
    return error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its class."""
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:300]


def check_port(host: str, port: int) -> None:
    """Check that an address can be listened on. Raises NotUsable."""
    if port == 0:
        return
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise NotUsable(f"The host {host!r} has no address here. Use 127.0.0.1, or 0.0.0.0 for all networks.") from None
    for family, kind, protocol, _, address in found:
        _check_address(family, kind, protocol, address)


def _check_address(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> None:
    try:
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
    except OSError as error:
        host, port = address[:2]
        if error.errno == errno.EADDRINUSE:
            why = f"Port {port} of {host} is in use. Stop the other server, or take another port: --port 0 finds one."
        elif error.errno == errno.EACCES:
            why = f"Port {port} needs privileges. Take one above 1023, behind a proxy: see docs/hosting/proxies.md."
        else:
            why = f"{host} port {port} cannot be listened on: {error.strerror}. Use an address of this machine."
        raise NotUsable(why) from None
