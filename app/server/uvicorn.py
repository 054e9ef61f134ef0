"""uvicorn's server, with a drain before the shutdown."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

import uvicorn
from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from app.errors import VoltgraphError
from app.server.connections.connection_limit import Connections
from app.server.connections.http import LEAVE, HttpProtocol
from app.server.connections.websocket import WebSocket
from app.server.fast_path.interface import FastPathApplication
from app.server.fast_path.protocol import FastPathProtocol
from app.server.shutdown import take_no_more
from app.settings import Settings

Announce = Callable[[str, int], Awaitable[None]]
"""Called with the address and the port, once the server listens."""
COLLECTED = (20_000, 20, 50)
"""Thresholds of the garbage collector: a page of results has about a thousand objects."""
LAST_CALL = 0.8
"""Drain window in seconds. Open connections may send further requests; each response carries `Connection: close`,
because a request sent while its socket is closed is lost. New connections are dropped meanwhile: their clients retry
after a second and are then refused."""
NOT_STARTED = 3
"""Exit code of a server that could not start, such as one whose port was taken meanwhile."""
GRACE = 10
"""Seconds within which clients must read their responses at shutdown."""


class Endpoint(Protocol):
    """Endpoint with responses that do not end by themselves."""

    def close(self) -> None:
        """End them."""


class Application(Protocol):
    """Application that the server runs."""

    @property
    def connections(self) -> Connections: ...

    @property
    def fast_path(self) -> FastPathApplication | None: ...

    @property
    def graphql(self) -> Endpoint: ...

    @property
    def refusal(self) -> VoltgraphError | None: ...

    @property
    def state(self) -> State: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Server(uvicorn.Server):
    """uvicorn server that announces its address and drains before it shuts down."""

    def __init__(self, app: Application, settings: Settings, announce: Announce) -> None:
        self._app, self._announce = app, announce
        config = uvicorn.Config(
            self._app,
            settings.host,
            settings.port,
            log_level="warning",
            log_config=None,  # `logs` configures logging
            server_header=False,
            access_log=False,  # disabled by the log level, but uvicorn would format each line all the same
            http=HttpProtocol if app.fast_path is None else FastPathProtocol,
            ws=WebSocket,
            ws_max_size=settings.max_body_bytes,
            timeout_graceful_shutdown=GRACE,
            ws_per_message_deflate=False,  # compression takes more memory than the rest of an idle socket
        )
        super().__init__(config)
        self._app.connections.watch(self.server_state.connections)
        self._drain_delay = settings.drain_delay

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            raise self._app.refusal or SystemExit(NOT_STARTED) from None
        gc.collect()
        gc.freeze()  # objects created at start-up stay alive: the collector need not traverse them again
        gc.set_threshold(*COLLECTED)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            await self._announce(host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.started:
            self._app.state.services.health.draining = True
            self.server_state.default_headers = [*self.server_state.default_headers, LEAVE]
            await self._pause(self._drain_delay)
            take_no_more(listening for server in self.servers for listening in server.sockets)
            await self._pause(LAST_CALL, while_connected=True)
        self._app.graphql.close()
        await super().shutdown(sockets)

    async def _pause(self, seconds: float, *, while_connected: bool = False) -> None:
        """Wait while requests are served. Return early after a second signal, or, with `while_connected`, once no
        client is connected."""
        end = monotonic() + seconds
        while monotonic() < end and not self.force_exit:
            await asyncio.sleep(min(0.1, seconds))  # at least once: a connection may be waiting for accept()
            if while_connected and not self.server_state.connections:
                return
