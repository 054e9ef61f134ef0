"""Health endpoints: /livez, /readyz, and /healthz for the official client."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from fastapi import APIRouter, Request
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app import __version__
from app.database.interface import Database, ReadBudget, Steps
from app.errors import VoltgraphError
from app.execution.sandbox.isolation import Isolation
from app.models.columns import Instant, now
from app.models.tables import Pulse
from app.server.faults import log_fault, log_unavailable

BELIEVED = 1.0
"""Seconds for which a successful write counts; more frequent probes cause no further writes."""
PATIENCE = 3.0
"""Timeout in seconds of a write and the read that checks it."""
TICK = timedelta(microseconds=1)


class StaleRead(VoltgraphError):
    """A read did not see a write that was committed before it."""


class Health:
    """Readiness of the server: it can write to its database, its reads see the write, and it is not shutting down."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._taking: asyncio.Task[None] | None = None
        self._taken = -BELIEVED
        self._beats = False
        self.draining = False

    async def ready(self) -> bool:
        """Return whether a write was committed and read within the last second, and no write has failed since."""
        if self.draining:
            return False
        if monotonic() - self._taken >= BELIEVED:
            self._taking = self._taking or asyncio.create_task(self._take())
            await asyncio.shield(self._taking)
        # A full disk may have room for the probe's write but not for a client's.
        return self._beats and monotonic() - self._database.failed_at >= BELIEVED

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                written = await self._database.write(_write_pulse)
                read = await self._database.run(self._read_pulse, ReadBudget(is_single=True))
            if read < written:  # another process may have written since
                raise StaleRead(f"a read found the pulse of {read}, after that of {written} was committed")
            self._beats = True
        except Exception as error:
            self._beats = False
            if not log_unavailable(error):
                log_fault(error)
        finally:
            self._taken, self._taking = monotonic(), None

    def _read_pulse(self) -> Steps[datetime]:
        """Read the pulse as plans do: over a connection that may have a shared snapshot."""
        [[at]] = yield str(select(col(Pulse.at)).compile(dialect=self._database.dialect)), ()
        read = Instant().process_result_value(at, self._database.dialect)
        assert read is not None
        return read


async def _write_pulse(session: AsyncSession) -> datetime:
    """Write a pulse later than any before it, even if the clocks of the writing processes differ."""
    before = (await session.exec(select(Pulse.at).with_for_update())).one()
    at = max(now(), before + TICK)
    await session.exec(update(Pulse).values(at=at))
    return at


router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def live() -> Response:
    """Answer while the process runs, with its version."""
    return PlainTextResponse(f"ok, voltgraph {__version__}")


@router.get("/healthz")
async def healthy() -> Response:
    """Answer as /livez does, in the official client's format."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Answer 200 if the server can write to its database, reads its writes, and is not shutting down. Its jobs'
    isolation comes with the answer, if it runs any."""
    services = request.app.state.services
    return await readiness(services.health, services.isolation)


async def readiness(health: Health, isolation: Isolation | None) -> Response:
    """Return the response to a readiness probe."""
    confined = None if isolation is None else isolation.to_json()
    if await health.ready():
        return JSONResponse({"status": "ok", "sandbox": confined})
    return JSONResponse({"status": "not ready", "sandbox": confined}, 503, {"retry-after": "1"})
