"""Whether this server lives, and can do its work: /livez and /readyz, and /healthz for the official client."""

from __future__ import annotations

import asyncio
from time import monotonic

from fastapi import APIRouter, Request
from sqlalchemy import update
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.columns import now
from app.database import Database
from app.errors import logged
from app.models import Pulse

BELIEVED = 1.0
"""Seconds for which a pulse is believed: who asks more often causes no more writes."""
PATIENCE = 3.0
"""Seconds after which a write that is not done counts as failed."""


class Health:
    """Whether requests should come here. Ready is who just wrote to the database, and is not about to end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._taking: asyncio.Task[None] | None = None
        self._taken = -BELIEVED
        self._beats = False
        self.draining = False

    async def ready(self) -> bool:
        """Whether a write is committed now, or was a moment ago, and none has failed meanwhile."""
        if self.draining:
            return False
        if monotonic() - self._taken >= BELIEVED:
            self._taking = self._taking or asyncio.create_task(self._take())
            await asyncio.shield(self._taking)
        # A disk may be too full for what clients send and have room for a pulse.
        return self._beats and monotonic() - self._database.failed_at >= BELIEVED

    async def _take(self) -> None:
        async def write(session: AsyncSession) -> None:
            await session.exec(update(Pulse).values(at=now()))

        try:
            async with asyncio.timeout(PATIENCE):
                await self._database.write(write)
            self._beats = True
        except Exception as error:
            self._beats = False
            logged(error)
        finally:
            self._taken, self._taking = monotonic(), None


router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def live() -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


@router.get("/healthz")
async def healthy() -> Response:
    """What /livez says, as the official client reads it."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """It can write to its database, and goes on for a while."""
    if await request.app.state.services.health.ready():
        return PlainTextResponse("ok")
    return PlainTextResponse("not ready", 503, {"retry-after": "1"})
