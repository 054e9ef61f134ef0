"""Spans of HTTP requests, and of operations over WebSockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import telemetry
from app.server.observability.request_log import LONGEST, request_id, route_of


@contextmanager
def operation_span(path: str, name: str, kind: str) -> Iterator[None]:
    """Trace an operation of a WebSocket until exit, in a trace of its own: the handshake's `traceparent` would join all
    operations of a socket, which may live for days."""
    if telemetry.tracer is None:
        yield
        return
    attributes = {
        "url.path": path[:LONGEST],
        "http.route": "/graphql",
        "graphql.operation.name": name[:LONGEST],
        "graphql.operation.type": kind,
    }
    if (id := request_id()) is not None:
        attributes["voltgraph.request.id"] = id
    with telemetry.request_span("WEBSOCKET /graphql", {}, **attributes):
        yield


def note_errors(errors: Sequence[Mapping[str, Any]] | None) -> None:
    """Record the code of the errors that ended the operation of the current span, if any."""
    if telemetry.tracer is not None and errors:
        code = (errors[0].get("extensions") or {}).get("code", "")
        telemetry.annotate({"voltgraph.code": str(code)[:LONGEST]})


class Spanned:
    """Middleware that traces each HTTP request, in the trace that its header `traceparent` names. The
    operations of a WebSocket have spans of their own, by `operation_span`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or telemetry.tracer is None:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"][:LONGEST]}
        with telemetry.request_span(scope["method"], headers, **attributes) as span:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, noting)
            if route := route_of(scope) or ("/graphql" if scope["path"].endswith("/graphql") else None):
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
