"""Transient database errors: full disk, I/O error, lost connection."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import apsw
import asyncpg
from sqlalchemy.exc import DBAPIError

from app.errors import Busy

T = TypeVar("T")
log = logging.getLogger("voltgraph")

PAUSE = 1.0
"""Seconds between two attempts."""
RAISED = (OSError, Busy, DBAPIError, apsw.Error, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Exception types that include all transient errors."""
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
"""Prefixes of PostgreSQL's codes of transient errors: connections, read-only servers, resources, operator intervention,
system errors. https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that the database is temporarily unavailable."""
    if isinstance(error, OSError | Busy):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_unavailable(error.orig))
    if isinstance(error, apsw.Error | sqlite3.Error):
        code: int = getattr(error, "extendedresult", getattr(error, "sqlite_errorcode", 0))
        return code & 0xFF in SQLITE  # extended codes only refine the primary code
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state).startswith(POSTGRESQL)
    # asyncpg raises InterfaceError for a closed connection, and for wrong arguments.
    return isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)


async def retry_until_available(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work`; retry while the database is unavailable."""
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_unavailable(error):
                raise
            log.warning("the database is unavailable: %s", type(error).__name__)
            await asyncio.sleep(PAUSE)
