"""Request ids and the access log: each response carries its id as X-Request-Id.

Without an access log, a request without an id gets none; a fault has an id anyway.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from operator import itemgetter
from time import perf_counter

import uuid_utils
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import telemetry

log = logging.getLogger("voltgraph.requests")

HEADER = b"x-request-id"
FORM = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
"""Pattern of accepted request ids; others could forge lines or fill the log."""
LONGEST = 200
"""Maximum characters of a path or a name in the log."""
NAME = itemgetter(0)


@dataclass(slots=True, eq=False)
class LogEntry:
    """Log entry of one request."""

    id: str
    operation: str | None = None
    code: str | None = None
    key: str | None = None
    """Prefix of the request's API key."""
    status: int = 0
    size: int = 0
    """Bytes of the response body; for a WebSocket, of its messages."""


current: ContextVar[LogEntry | None] = ContextVar("trace", default=None)


def request_id() -> str | None:
    """Return the id of the current request, if any."""
    trace = current.get()
    return None if trace is None else trace.id


def note(operation: str, code: str) -> None:
    """Record the operation and the outcome of the current request."""
    if telemetry.tracer is not None:
        telemetry.annotate({"graphql.operation.name": operation[:LONGEST], "voltgraph.code": code, **_request_id()})
    trace = current.get()
    if trace is not None:
        trace.operation, trace.code = operation, code


def _request_id() -> dict[str, str]:
    id = request_id()
    return {} if id is None else {"voltgraph.request.id": id}


def note_key(prefix: str | None) -> None:
    """Record the prefix of the API key of the current request."""
    trace = current.get()
    if trace is not None:
        trace.key = prefix


class Traced:
    """Middleware that assigns request ids. With `logs`, it writes one line per request."""

    def __init__(self, app: ASGIApp, *, logs: bool = False) -> None:
        self._app, self._logs = app, logs

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan" or current.get() or not (self._logs or HEADER in map(NAME, scope["headers"])):
            return self._app(scope, receive, send)
        return self._trace(scope, receive, send)

    async def _trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace, start = LogEntry(_given(scope["headers"]) or str(uuid_utils.uuid7())), perf_counter()
        token = current.set(trace)
        try:
            await self._app(scope, receive, _noting(trace, send))
        finally:
            if self._logs:
                _log(scope, trace, perf_counter() - start)
            current.reset(token)


def _given(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the request's own id, if acceptable."""
    for name, value in headers:
        if name == HEADER and FORM.fullmatch(value):
            return value.decode("ascii")
    return None


def _noting(trace: LogEntry, send: Send) -> Send:
    """Wrap `send`: add the id to the head and record the response."""

    async def noting(message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                trace.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, trace.id.encode())]
            case "websocket.accept":
                trace.status = 101
                message["headers"] = [*message.get("headers", ()), (HEADER, trace.id.encode())]
            case "http.response.body":
                trace.size += len(message.get("body", b""))
            case "websocket.send":
                trace.size += len(message.get("text") or "")
            case "websocket.close":
                trace.code = str(message.get("code", 1000))
        await send(message)

    return noting


def route_of(scope: Scope) -> str | None:
    """Return the path template of the matched route; None without one."""
    path = getattr(scope.get("route"), "path_format", None)
    return None if path is None else f"{scope.get('root_path', '')}{path}"


def _log(scope: Scope, trace: LogEntry, seconds: float) -> None:
    """Log a request without its query string and body, which may hold secrets."""
    method, path = scope.get("method", "WEBSOCKET"), scope["path"][:LONGEST]
    fields = {
        "method": method,
        "path": path,
        "operation": (trace.operation or route_of(scope) or "")[:LONGEST] or None,
        "status": trace.status,
        "code": trace.code,
        "ms": round(seconds * 1000, 3),
        "bytes": trace.size,
        "key": trace.key,
    }
    log.info("%s %s %s", method, path, trace.status, extra={"fields": fields})
