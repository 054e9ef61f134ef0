"""Spans of HTTP requests."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import telemetry
from app.server.observability.request_log import LONGEST, route_of


class Spanned:
    """Middleware that traces each HTTP request, in the trace that its header `traceparent` names. An operation of a
    WebSocket has a trace of its own."""

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
