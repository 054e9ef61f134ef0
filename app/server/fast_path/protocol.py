"""HTTP/1.1 protocol: uvicorn's, with a fast path.

A short request to /graphql starts as soon as it is complete. Most such requests are answered without the task, the
queue and the messages of ASGI, which cost more than the response itself; a request that has to wait gets a task. All
other requests take uvicorn's path, which sends the head and the body of a response together, because each write is a
system call that wakes the client.

Most requests on a kept-alive connection repeat a few heads byte for byte. Such a head is parsed once.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.server.connections.connection_limit import Connections
from app.server.connections.framing import MAX_HEADERS, BadFraming, check_head, is_websocket_handshake, without_upgrade
from app.server.connections.transport import CoalescingTransport, WriteTimeout
from app.server.fast_path.eager import SuspendedCoroutine, begin, drive
from app.server.fast_path.interface import FastPathApplication, Fields, Headers, Response

PATH = b"/graphql"
SHORT = 64 * 2**10
"""Maximum bytes of a body on the fast path."""
MOST_HEADS = 8
"""Number of heads that a connection caches."""
MAX_PIPELINED = 16
"""Number of requests that a connection queues behind the running one; further bytes are parsed later."""
PIECE = 1024
"""Bytes that are parsed between two checks of the queue."""
END = b"\r\n\r\n"
"""End of a head."""
HEAD_TIMEOUT = 30.0
"""Timeout in seconds of receiving a complete head."""
LEAVE = (b"connection", b"close")
"""Header of every response during shutdown."""
REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 20\r\nretry-after: 1\r\nconnection: close\r\n\r\nToo many connections"
)
"""Response to a connection beyond the limit."""


class Head(NamedTuple):
    """Head of a short POST to /graphql."""

    headers: Headers
    length: int
    """Bytes of the body."""


class SuspendedCycle:
    """Stand-in for uvicorn's `RequestResponseCycle` while a fast-path request is suspended, so that uvicorn's flow
    control and shutdown see a request in progress."""

    message_event = asyncio.Event()
    """Required by uvicorn; nothing waits for it."""

    def __init__(self) -> None:
        self.response_complete = self.disconnected = self.more_body = False
        self.keep_alive = True
        self.body = bytearray()


class FastPathProtocol(WriteTimeout, HttpToolsProtocol):
    """uvicorn's protocol over a coalescing transport, with a fast path that bypasses ASGI."""

    transport: CoalescingTransport  # type: ignore[assignment]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._direct: FastPathApplication | None = getattr(self.config.app, "direct", None)
        self._limits: Connections = getattr(self.config.app, "connections", None) or Connections()
        self._may_begin = False
        self._held: list[bytes] | None = None
        """Body of a possible fast-path request while it arrives."""
        self._heads: dict[bytes, Head] = {}
        """Cache of heads that arrived together with their complete bodies."""
        self._begun: tuple[Headers, bytes] | None = None
        """The fast-path request of this event-loop turn."""
        self._is_between = True
        """Whether the received bytes end at the end of a request."""
        self._backlog = b""
        """Bytes that wait until fewer requests are queued."""
        self._used_at = 0.0
        """Time of the last response, by the event loop's clock."""
        self._late: asyncio.TimerHandle | None = None
        """Timer that closes the connection unless a complete head arrives."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        together = CoalescingTransport(transport, self.loop, self._limits)
        super().connection_made(together)  # type: ignore[arg-type]
        if self._limits.admits(len(self.connections), _descriptor(transport)):
            self._watch()
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
            return
        end = data.find(END) + len(END)
        head = self._heads.get(data[:end])
        whole = head is not None and len(data) == end + head.length and self._is_between and self._is_free()
        if head is None or not whole or not self._respond(head.headers, data[end:]):
            self._parse(data)

    def _respond(self, headers: Headers, body: bytes) -> bool:
        """Start the fast path. Return False, without side effects, if the request must go through ASGI."""
        responding = self._direct.respond(headers, body) if self._direct else None
        if responding is None:
            return False
        begun = begin(responding)
        if isinstance(begun, SuspendedCoroutine):
            self._wait(begun)
        else:
            self._send(begun)
        return True

    def _wait(self, begun: SuspendedCoroutine[Response]) -> None:
        self._unset_keepalive_if_required()
        waiting = SuspendedCycle()
        self.cycle = waiting  # type: ignore[assignment]
        drive(self._finish(begun, waiting), self.tasks)

    async def _finish(self, begun: SuspendedCoroutine[Response], waiting: SuspendedCycle) -> None:
        try:
            response = await begun
        except Exception:
            self.logger.exception("a response could not be created")
            self.transport.close()
        else:
            waiting.response_complete = True
            if not self.transport.is_closing():
                self._send(response)
                if not waiting.keep_alive:
                    self.transport.close()

    def _parse(self, data: bytes) -> None:
        # One fast-path request per event-loop turn: pipelined requests are queued by uvicorn.
        self._may_begin, self._begun = self._direct is not None, None
        was_between = self._is_between
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._held is not None:
            self._go_by_asgi(self._taken())
        elif self._begun is not None and was_between:
            headers, body = self._begun
            end = data.find(END) + len(END)
            if data[end:] == body:
                if len(self._heads) == MOST_HEADS:
                    self._heads.clear()
                self._heads[data[:end]] = Head(headers, len(body))
        self._watch()

    def _feed(self, data: bytes) -> None:
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

    def _head_of_upgrade(self) -> bytes | None:
        """Return the head that has just been parsed without its upgrade; None if the upgrade is performed."""
        head = self.parser.get_http_version(), self.parser.get_method(), self.url, self.headers
        return None if self._is_free() and is_websocket_handshake(*head[:2], self.headers) else without_upgrade(*head)

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

    def _watch(self) -> None:
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

    def _parse_backlog(self) -> None:
        data, self._backlog = self._backlog, b""
        if data and not self.transport.is_closing():
            self.transport.release_reading(resume=not self.flow.read_paused)
            self._parse(data)

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise BadFraming(f"A request may have {MAX_HEADERS} header fields.")

    def on_headers_complete(self) -> None:
        parser = self.parser
        method = parser.get_method()
        check_head(parser.get_http_version(), method, self.url, self.headers)
        if parser.should_upgrade():  # `_feed` goes on
            self.scope["method"] = method.decode("ascii")
        elif self._may_begin and self.url == PATH and self._is_plain():
            self._may_begin, self._held = False, []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        self._is_between = True
        if self.parser.should_upgrade():
            return
        if self._held is not None:
            body, headers = self._taken(), dict(self.headers)
            if self._respond(headers, body):
                if len(headers) == len(self.headers):
                    self._begun = headers, body
                return
            self._go_by_asgi(body)
        super().on_message_complete()

    def _is_free(self) -> bool:
        """Return whether the connection serves no other request."""
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _is_plain(self) -> bool:
        """Return whether this is a short POST on an idle connection."""
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.expect_100_continue
            and self._is_free()
            and _is_short(self.headers)
        )

    def _taken(self) -> bytes:
        held, self._held = self._held or [], None
        return held[0] if len(held) == 1 else b"".join(held)

    def _go_by_asgi(self, body: bytes) -> None:
        """Hand the request over to uvicorn: its head and the part of the body that has arrived."""
        if not self.transport.is_closing():
            super().on_headers_complete()
            super().on_body(body)

    def _send(self, response: Response) -> None:
        defaults = self.server_state.default_headers
        head = _head(response.status, tuple(defaults), response.headers)
        content = response.content
        self.transport.write_now(b"%b%d\r\n\r\n" % (head, len(content)), content)
        if LEAVE in defaults:
            self.transport.close()
        if self.timeout_keep_alive_task is None:
            self.on_response_complete()
        else:  # the running timer checks the time by itself
            self.server_state.total_requests += 1
            self._used_at = self.loop.time()

    def on_response_complete(self) -> None:
        self._used_at = self.loop.time()
        super().on_response_complete()
        if self._backlog:
            self.loop.call_soon(self._parse_backlog)

    def timeout_keep_alive_handler(self) -> None:
        left = self._used_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()


def _new_parser(protocol: FastPathProtocol) -> httptools.HttpRequestParser:
    """Create a parser that leaves data after `Connection: close` unread."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _descriptor(transport: asyncio.Transport) -> int:
    """Return the file descriptor of a connection."""
    socket = transport.get_extra_info("socket")
    return -1 if socket is None else int(socket.fileno())


@lru_cache(256)
def _head(status: int, defaults: Fields, headers: Fields) -> bytes:
    """Return the head of a response, without the value of Content-Length."""
    lines = [b"%b: %b\r\n" % field for field in (*defaults, *headers)]
    return b"".join([STATUS_LINE[status], *lines, b"content-length: "])


def _is_short(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether Content-Length is present and short."""
    return any(name == b"content-length" and len(value) < 6 and int(value) <= SHORT for name, value in headers)
