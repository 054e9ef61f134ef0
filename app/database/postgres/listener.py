"""Changes of other processes, received by PostgreSQL's LISTEN/NOTIFY."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.broker import Broker
from app.database.changes import CHANNEL, Change, decode_change, take_snapshot
from app.database.postgres.sql import ERRORS
from app.database.recoveries import Recoveries
from app.models.columns import now
from app.models.tables import Pipeline

log = logging.getLogger("voltgraph")

HEARTBEAT = 10.0
"""Seconds between two probes of the connection: a network can fail silently."""
PATIENCE = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
MARGIN = timedelta(seconds=60)
"""How much older than the last successful probe a missed change may be: clocks differ, and transactions take time."""
LISTENER = "listener"
FAILURES = (OSError, TimeoutError, SQLAlchemyError, *ERRORS)


class Listener:
    """LISTEN connection for all subscribers of this process. It reconnects after a loss and then rereads everything
    that may have changed meanwhile."""

    def __init__(self, url: URL, broker: Broker, recoveries: Recoveries) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._broker, self._recoveries = broker, recoveries
        recoveries.register(LISTENER)
        self._listens = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._alive: datetime | None = None
        """Time of the last successful probe."""

    async def start(self) -> None:
        """Start to listen, if not started. Waits for the connection for a limited time, since catching up repairs the
        rest."""
        if self._listens.is_set():
            return
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), context=Context())  # outside of the request
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._listens.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._engine.dispose()

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._connection() as (connection, lost):
                    await connection.add_listener(CHANNEL, self._heard)
                    await self._catch_up()
                    self._listens.set()
                    pause = FIRST_PAUSE
                    await self._stay(connection, lost)
            except FAILURES as error:
                log.warning("cannot listen for changes: %s: %s", type(error).__name__, error)
            except Exception:
                log.exception("cannot listen for changes")
            if self._listens.is_set():
                self._recoveries.add(LISTENER, "the LISTEN connection was lost")
            self._listens.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[Any, asyncio.Event]]:
        """Open a connection of the driver, and an event that is set when it is lost."""
        connection = await self._engine.connect()
        try:
            driver = (await connection.get_raw_connection()).driver_connection
            lost = asyncio.Event()
            assert driver is not None
            driver.add_termination_listener(lambda _: lost.set())
            yield driver, lost
        finally:
            # The connection is discarded, whatever its state.
            await connection.invalidate()
            await connection.close()

    async def _stay(self, connection: Any, lost: asyncio.Event) -> None:
        while not lost.is_set():
            self._alive = now()
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await lost.wait()
                break
            await connection.execute("SELECT 1", timeout=PATIENCE)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        change = decode_change(payload)
        if change is not None:
            self._broker.publish(change)

    async def _catch_up(self) -> None:
        """Reread everything that may have changed while the connection was lost."""
        self._broker.recheck()
        organizations = self._broker.organizations()
        if self._alive is None or not organizations:
            return
        missed = select(Pipeline).where(
            col(Pipeline.organization_id).in_(organizations), col(Pipeline.updated_at) > self._alive - MARGIN
        )
        async with AsyncSession(self._engine) as session:
            for pipeline in await session.exec(missed):
                change = Change(pipeline.organization_id, pipeline.id, None, take_snapshot(pipeline), is_whole=False)
                self._broker.publish(change)
