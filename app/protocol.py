"""HTTP/1.1 as uvicorn speaks it, with less done for each request.

A short request to /graphql is begun as soon as all of it is there, and most are answered then and there: the task,
the queue and the messages of ASGI, which cost more than such an answer, are made only for one that comes to wait.
All others go uvicorn's way. There, a response's head and body are sent together: each write is a call of the system
that wakes the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.waiting import Begun, begin

PATH = b"/graphql"
SHORT = 64 * 2**10
"""Bytes of a body that is not streamed."""
Headers = dict[bytes, bytes]
LEAVE = (b"connection", b"close")
"""What a server that ends says with every answer."""


class Response(NamedTuple):
    """A whole response; the length of its content is added to the headers."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes

    async def send(self, send: Send) -> None:
        """By ASGI."""
        length = b"content-length", b"%d" % len(self.content)
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": self.content})


class Direct(Protocol):
    """What answers requests without ASGI."""

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response] | None:
        """The response to a POST. None where it must go by ASGI; then nothing is done."""


class Together:
    """A transport that sends at once all that is written within one turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def write_now(self, data: bytes) -> None:
        if self._written:
            self.write(data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.writelines(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Http(HttpToolsProtocol):
    """uvicorn's protocol, over such a transport, and with a way past ASGI."""

    transport: Together  # type: ignore[assignment]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._direct: Direct | None = getattr(self.config.app, "direct", None)
        self._may_begin = False
        self._held: list[bytes] | None = None
        """The body of a request that may not need ASGI, while it comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Together(transport, self.loop))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        # One for each turn of the event loop: who sends many at once has them queued, as uvicorn does it.
        self._may_begin = self._direct is not None
        super().data_received(data)
        if self._held is not None:
            self._go_by_asgi(self.app, self._taken())

    def on_headers_complete(self) -> None:
        if self._may_begin and self.url == PATH and self._is_plain():
            self._may_begin, self._held = False, []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        if self._held is None:
            super().on_message_complete()
            return
        body, headers = self._taken(), dict(self.headers)
        responding = self._direct.respond(headers, body) if self._direct else None
        if responding is None:
            self._go_by_asgi(self.app, body)
        else:
            begun = begin(responding)
            if isinstance(begun, Begun):
                self._go_by_asgi(_rest(begun), b"")
            else:
                self._send(begun)
                return
        super().on_message_complete()

    def _is_plain(self) -> bool:
        """Whether this is a short POST on a connection on which nothing else goes on."""
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and any(
                name == b"content-length" and len(value) < 6 and int(value) <= SHORT for name, value in self.headers
            )
        )

    def _taken(self) -> bytes:
        held, self._held = self._held or [], None
        return held[0] if len(held) == 1 else b"".join(held)

    def _go_by_asgi(self, app: ASGIApp, body: bytes) -> None:
        """Have uvicorn call `app` for the request whose head, and so much of its body, are there."""
        if self.transport.is_closing():
            return
        usual, self.app = self.app, app
        super().on_headers_complete()
        self.app = usual
        super().on_body(body)

    def _send(self, response: Response) -> None:
        head = [STATUS_LINE[response.status]]
        for name, value in self.server_state.default_headers:
            head += (name, b": ", value, b"\r\n")
        for name, value in response.headers:
            head += (name, b": ", value, b"\r\n")
        content = response.content
        self.transport.write_now(b"%bcontent-length: %d\r\n\r\n%b" % (b"".join(head), len(content), content))
        if LEAVE in self.server_state.default_headers:
            self.transport.close()
        self.on_response_complete()


def _is_short(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a body's length is given, and short."""
    return any(name == b"content-length" and len(value) < 6 and int(value) <= SHORT for name, value in headers)


def _rest(begun: Begun[Response]) -> ASGIApp:
    """The rest of a response as an application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await begun).send(send)

    return app
