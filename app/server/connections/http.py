"""uvicorn's HTTP/1.1 protocol with limits on connections, stricter framing, and timeouts of heads and of writes."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.server.connections.connection_limit import Connections
from app.server.connections.framing import MAX_HEADERS, BadFraming, check_head, is_websocket_handshake, without_upgrade
from app.server.connections.transport import CoalescingTransport, WriteTimeout
from app.server.connections.waiting import Flag, Pipeline

MAX_PIPELINED = 16
"""Number of requests that a connection queues behind the running one; further bytes are parsed later."""
PIECE = 4096
"""Bytes that are parsed between two checks of the queue."""
HEAD_TIMEOUT = 30.0
"""Timeout in seconds of receiving a complete head."""
LEAVE = (b"connection", b"close")
"""Header of every response during shutdown."""
REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 20\r\nretry-after: 1\r\nconnection: close\r\n\r\nToo many connections"
)
"""Response to a connection beyond the limit."""


class Flow(FlowControl):
    """uvicorn's flow control with a smaller event."""

    def __init__(self, transport: Any) -> None:
        super().__init__(transport)
        self._is_writable_event = Flag()  # type: ignore[assignment]


class HttpProtocol(WriteTimeout, HttpToolsProtocol):
    """uvicorn's protocol over a transport with a write timeout."""

    __slots__ = ("_backlog", "_late", "_limits")

    transport: CoalescingTransport  # type: ignore[assignment]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits: Connections = getattr(self.config.app, "connections", None) or Connections()
        self.pipeline = Pipeline()  # type: ignore[assignment]
        self._backlog = b""
        """Bytes that wait until fewer requests are queued."""
        self._late: asyncio.TimerHandle | None = None
        """Timer that closes the connection unless a complete head arrives."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        together = CoalescingTransport(transport, self.loop, self._limits)
        super().connection_made(together)  # type: ignore[arg-type]
        self.flow = Flow(together)
        if self._limits.admits(len(self.connections), _descriptor(transport)):
            self.watch()
        else:
            together.write(REFUSED)
            together.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._backlog = b""
        if self._late is not None:
            self._late.cancel()

    def data_received(self, data: bytes) -> None:
        if self._backlog:
            self._backlog += data
        else:
            self.parse(data)

    def parse(self, data: bytes) -> None:
        """Parse bytes, and start or stop the timeout of a head."""
        self._unset_keepalive_if_required()
        self.feed(data)
        self.watch()

    def feed(self, data: bytes) -> None:
        """Parse bytes. A request for an unsupported upgrade is parsed again without the upgrade; otherwise the parser
        would take its body for the next request."""
        start = 0
        while start < len(data):
            if len(self.pipeline) >= MAX_PIPELINED:
                self._backlog = data[start:]
                self.transport.hold_reading()
                return
            piece = data[start : start + PIECE]
            try:
                self.parser.feed_data(piece)
                start += PIECE
            except httptools.HttpParserUpgrade as upgrade:
                head = self._head_of_upgrade()
                rest = data[start + upgrade.args[0] :]
                if head is None:
                    self.handle_websocket_upgrade()
                    if rest:
                        self.transport.get_protocol().data_received(rest)
                    return
                self.parser = _new_parser(self)
                data, start = head + rest, 0
            except httptools.HttpParserError as error:
                self._refuse(error.__context__)
                return

    def watch(self) -> None:
        """Start or stop the timeout of receiving a complete head. All other waits have timeouts of their own."""
        waits = (
            (self.cycle is None or self.cycle.response_complete)
            and self.timeout_keep_alive_task is None
            and not self.transport.is_closing()
            and self.transport.get_protocol() is self  # not upgraded to a WebSocket
        )
        if waits and self._late is None:
            self._late = self.loop.call_later(HEAD_TIMEOUT, self.transport.close)
        elif not waits and self._late is not None:
            self._late.cancel()
            self._late = None

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise BadFraming(f"A request may have {MAX_HEADERS} header fields.")

    def on_headers_complete(self) -> None:
        parser = self.parser
        method = parser.get_method()
        check_head(parser.get_http_version(), method, self.url, self.headers)
        if parser.should_upgrade():  # `feed` goes on
            self.scope["method"] = method.decode("ascii")
        else:
            self.begin_request()

    def begin_request(self) -> None:
        """Hand a request whose head is complete over to the application."""
        super().on_headers_complete()
        self.cycle.message_event = event = Flag()  # type: ignore[assignment]
        event.clear()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._backlog:
            self.loop.call_soon(self._parse_backlog)

    def is_free(self) -> bool:
        """Return whether the connection serves no other request."""
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _parse_backlog(self) -> None:
        data, self._backlog = self._backlog, b""
        if data and not self.transport.is_closing():
            self.transport.release_reading(resume=not self.flow.read_paused)
            self.parse(data)

    def _head_of_upgrade(self) -> bytes | None:
        """Return the head that has just been parsed without its upgrade; None if the upgrade is performed."""
        head = self.parser.get_http_version(), self.parser.get_method(), self.url, self.headers
        return None if self.is_free() and is_websocket_handshake(*head[:2], self.headers) else without_upgrade(*head)

    def _refuse(self, cause: BaseException | None) -> None:
        """Answer 400 and close the connection, after the pending responses to earlier requests."""
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            self.send_400_response(f"{message} {cause}" if isinstance(cause, BadFraming) else message)
        else:
            cycle.keep_alive = False
            self.flow.pause_reading()


def _new_parser(protocol: HttpProtocol) -> httptools.HttpRequestParser:
    """Create a parser that leaves data after `Connection: close` unread."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _descriptor(transport: asyncio.Transport) -> int:
    """Return the file descriptor of a connection."""
    socket = transport.get_extra_info("socket")
    return -1 if socket is None else int(socket.fileno())
