"""Transient database errors: full disk, I/O error, lost connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from app.errors import Busy
from app.models.sql import registered

T = TypeVar("T")
log = logging.getLogger("voltgraph")

PAUSE = 1.0
"""Seconds between two attempts."""


def raised() -> tuple[type[Exception], ...]:
    """Return exception types that include all transient errors."""
    return (OSError, Busy, DBAPIError, *(kind for sql in registered() for kind in sql.errors))


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that the database is temporarily unavailable."""
    if isinstance(error, OSError | Busy):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_unavailable(error.orig))
    return any(sql.is_unavailable(error) for sql in registered())


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
