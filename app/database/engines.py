"""SQLAlchemy engines with a bounded wait for a connection."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from app.errors import Busy

PATIENCE = 10.0
"""Seconds to wait for a connection before Busy is raised."""


class Pool(AsyncAdaptedQueuePool):
    """Connection pool whose timeout raises Busy, which is not a fault of the server."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except NoneFree:
            raise Busy("Too many queries wait for the database. Try again.") from None


def engine(url: URL, connections: int, **more: Any) -> AsyncEngine:
    """Create an engine with a maximum number of connections, opened on first use."""
    return create_async_engine(
        url, poolclass=Pool, pool_size=connections, max_overflow=0, pool_timeout=PATIENCE, **more
    )
