"""Server that also reports the stalls of its event loop: `python -m tests.attacks.probed`."""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.cli.serve import new_server
from app.server.uvicorn import Server
from app.settings import Settings

TICK = 0.002


class Probed(Server):
    """GET /probe returns the longest stall since the last call, in milliseconds."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        application: Any = self._app
        self._worst = 0.0
        self._ticking = asyncio.create_task(self._tick())
        application.router.add_route("/probe", self._probe)
        await super().startup(sockets)

    async def _tick(self) -> None:
        while True:
            due = perf_counter() + TICK
            await asyncio.sleep(TICK)
            self._worst = max(self._worst, perf_counter() - due)

    async def _probe(self, _: Request) -> JSONResponse:
        await asyncio.sleep(2 * TICK)
        worst, self._worst = self._worst, 0.0
        return JSONResponse(worst * 1000)


if __name__ == "__main__":
    new_server(Settings(port=0), Probed).run()
