"""Listener for probes and metrics, apart from the API: /livez, /readyz and /metrics of a server or a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import uvicorn
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.auth.caller import is_loopback
from app.database.interface import Database
from app.errors import VoltgraphError
from app.execution.sandbox.isolation import Isolation
from app.server.connections.connection_limit import Connections
from app.server.connections.http import HttpProtocol
from app.server.observability.exposition import CONTENT_TYPE, Exposition
from app.server.observability.health import Health, readiness
from app.server.observability.metrics import Metrics
from app.settings import Settings

MOST_CONNECTIONS = 64
GRACE = 1
"""Seconds within which a scrape must be read at shutdown."""


class CannotListen(VoltgraphError):
    """The address for metrics cannot be listened on."""


class Probes:
    """ASGI application of the probes of one process. They need no API key."""

    def __init__(self, exposition: Exposition, health: Health, isolation: Isolation | None, *, is_local: bool) -> None:
        self._exposition, self._health, self._isolation = exposition, health, isolation
        self._is_local = is_local
        self.connections = Connections(MOST_CONNECTIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._response(scope))(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        if self._is_local and not is_loopback(_host_name(scope)):
            # A page of another site whose name resolves to this machine could read the metrics.
            return PlainTextResponse("Only names of this machine, such as localhost, are served.", 403)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Use GET.", 405, {"allow": "GET, HEAD"})
        match scope["path"]:
            case "/livez":
                return PlainTextResponse("ok")
            case "/readyz":
                return await readiness(self._health, self._isolation)
            case "/metrics":
                return Response(await self._exposition.text(), media_type=CONTENT_TYPE)
        return PlainTextResponse("The paths are /livez, /readyz and /metrics.", 404)


class _Server(uvicorn.Server):
    """uvicorn server beside another one, which handles the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def check_listener(settings: Settings, api: tuple[str, int] | None = None) -> None:
    """Check that the settings' address for probes, if any, can be listened on, beside the address of the API. Raises
    CannotListen."""
    if settings.metrics_port is None:
        return
    with closing(_bound(settings.metrics_host, settings.metrics_port)):
        if api is None or settings.metrics_port != api[1] or not api[1]:
            return
        try:
            _bound(*api).close()
        except CannotListen:
            message = f"Metrics cannot be served at port {api[1]}, the port of the API. Change VOLTGRAPH_METRICS_PORT."
            raise CannotListen(message) from None


@asynccontextmanager
async def listening(
    settings: Settings, metrics: Metrics, database: Database, health: Health, isolation: Isolation | None = None
) -> AsyncIterator[None]:
    """Listen for probes until exit, if the settings name a port. Raises CannotListen."""
    if settings.metrics_port is None:
        yield
        return
    host = settings.metrics_host
    probes = Probes(Exposition(metrics, database), health, isolation, is_local=is_loopback(host))
    config = uvicorn.Config(
        probes,
        log_level="warning",
        log_config=None,
        access_log=False,
        lifespan="off",
        http=HttpProtocol,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    server, sockets = _Server(config), [_bound(host, settings.metrics_port)]
    probes.connections.watch(server.server_state.connections)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        message = f"Metrics cannot be served at {host}, port {port}: {error}. Change VOLTGRAPH_METRICS_PORT."
        raise CannotListen(message) from error


def _host_name(scope: Scope) -> str | None:
    """Return the host name of the Host header without its port."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0] or None
