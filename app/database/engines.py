"""SQLAlchemy engines with a bounded wait for a connection."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self

from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import Busy

PATIENCE = 10.0
"""Seconds to wait for a connection before Busy is raised."""

logging.getLogger(__name__).setLevel(logging.WARNING)  # the pool logs as its class: in the wheel, below `voltgraph`


class Pool(AsyncAdaptedQueuePool):
    """Connection pool whose timeout raises Busy, which is not a fault of the server, and which closes connections that
    return after its end. SQLAlchemy's would keep them open until the garbage collector finds the pool."""

    _has_ended = False

    def dispose(self) -> None:
        self._has_ended = True
        super().dispose()

    def recreate(self) -> Pool:
        """Return the pool that takes this one's place, for work that begins after the end."""
        pool: Pool = super().recreate()  # type: ignore[assignment]
        pool._has_ended = self._has_ended
        return pool

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._has_ended:
            record.close()
        super()._do_return_conn(record)

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except NoneFree:
            raise Busy("Too many queries wait for the database. Try again.") from None


class LimitedSession(AsyncSession):
    """Session that only reads, and waits until few enough others of its kind are open."""

    def __init__(self, limit: asyncio.Semaphore, reads: AsyncEngine) -> None:
        super().__init__(reads, expire_on_commit=False)
        self._open = limit

    async def __aenter__(self) -> Self:
        await self._open.acquire()
        return self

    async def __aexit__(self, *error: Any) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            self._open.release()


def engine(url: URL, connections: int, **more: Any) -> AsyncEngine:
    """Create an engine with a maximum number of connections, opened on first use."""
    return create_async_engine(
        url, poolclass=Pool, pool_size=connections, max_overflow=0, pool_timeout=PATIENCE, **more
    )
