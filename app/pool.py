"""SQLAlchemy's engines, as this server uses them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from app.errors import Busy

PATIENCE = 10.0
"""Seconds to wait for a connection; then the server is busy."""


class Pool(AsyncAdaptedQueuePool):
    """Connections to a database. Who waits too long for one is told to come again: that is no fault."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except NoneFree:
            raise Busy("Too much waits for the database. Try again.") from None


def engine(url: URL, connections: int, **more: Any) -> AsyncEngine:
    """An engine with so many connections at most, made when they are first needed."""
    return create_async_engine(
        url, poolclass=Pool, pool_size=connections, max_overflow=0, pool_timeout=PATIENCE, **more
    )
