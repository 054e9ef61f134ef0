"""What a database raises that cannot do its work now, and may again in a while: it is full, broken, or not there."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import apsw
import asyncpg
from sqlalchemy.exc import DBAPIError

from app.errors import Busy, RequestError, RequestErrorCode

T = TypeVar("T")
log = logging.getLogger("voltgraph")

PAUSE = 1.0
"""Seconds between two tries."""
RAISED = (OSError, Busy, DBAPIError, apsw.Error, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Among these are all such errors."""
SQLITE = {
    apsw.SQLITE_BUSY,
    apsw.SQLITE_LOCKED,
    apsw.SQLITE_NOMEM,
    apsw.SQLITE_READONLY,
    apsw.SQLITE_IOERR,
    apsw.SQLITE_FULL,
    apsw.SQLITE_CANTOPEN,
}
POSTGRESQL = ("08", "25006", "53", "57", "58")
"""How the codes of such errors begin: connections, read-only servers, resources, operators, the system.
https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot do its work now."""
    if isinstance(error, OSError | Busy):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_away(error.orig))
    if isinstance(error, apsw.Error | sqlite3.Error):
        code: int = getattr(error, "extendedresult", getattr(error, "sqlite_errorcode", 0))
        return code & 0xFF in SQLITE  # the rest says more of the same
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state).startswith(POSTGRESQL)
    # The driver's word for a connection that is closed; also for arguments that are wrong.
    return isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What work comes to, as soon as the database is there."""
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the database is away: %s", type(error).__name__)
            await asyncio.sleep(PAUSE)


def expected(error: BaseException) -> RequestError | None:
    """What a client is told of an error: the refusal that it is, or that the database is away. None: it is a fault of
    ours."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, Busy):
        return RequestError(RequestErrorCode.BUSY, str(error))
    if is_away(error):
        cause = error.orig if isinstance(error, DBAPIError) else error
        log.error("the database is away: %s: %s", type(cause).__name__, cause)
        return RequestError(RequestErrorCode.UNAVAILABLE, "The database cannot do this now. Try again.")
    return None
