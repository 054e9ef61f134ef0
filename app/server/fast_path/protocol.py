"""HTTP/1.1 protocol with a fast path.

A short request to /graphql starts as soon as it is complete. Most such requests are answered without the task, the
queue and the messages of ASGI, which cost more than the response itself; a request that has to wait gets a task. All
other requests take uvicorn's path.

Most requests on a kept-alive connection repeat a few heads byte for byte. Such a head is parsed once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.server.connections.http import LEAVE, HttpProtocol
from app.server.fast_path.interface import FastPathApplication, Headers
from app.server.response import Fields, Response
from app.server.timeouts import begin

PATH = b"/graphql"
SHORT = 64 * 2**10
"""Maximum bytes of a body on the fast path."""
MOST_HEADS = 8
"""Number of heads that a connection caches."""
END = b"\r\n\r\n"
"""End of a head."""


class Head(NamedTuple):
    """Head of a short POST to /graphql."""

    headers: Headers
    length: int
    """Bytes of the body."""


class SuspendedCycle:
    """Stand-in for uvicorn's `RequestResponseCycle` while a fast-path request waits, so that uvicorn's flow control and
    shutdown see a request in progress."""

    message_event = asyncio.Event()
    """Required by uvicorn; nothing waits for it."""

    def __init__(self) -> None:
        self.response_complete = self.disconnected = self.more_body = False
        self.keep_alive = True
        self.body = bytearray()


class FastPathProtocol(HttpProtocol):
    """HTTP protocol that answers short requests to /graphql without ASGI."""

    # With the attributes of uvicorn's protocol these are more than 30, beyond which an object has a table of names of
    # its own, 1.3 KiB long, beside its values.
    __slots__ = ("_app", "_begun", "_heads", "_held", "_is_between", "_may_begin", "_used_at")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        app: Any = self.config.app
        self._app: FastPathApplication = app.fast_path
        self._may_begin = False
        self._held: list[bytes] | None = None
        """Body of a possible fast-path request while it arrives."""
        self._heads: dict[bytes, Head] = {}
        """Cache of heads that arrived together with their complete bodies."""
        self._begun: tuple[Headers, bytes] | None = None
        """The fast-path request of this event-loop turn."""
        self._is_between = True
        """Whether the received bytes end at the end of a request."""
        self._used_at = 0.0
        """Time of the last response, by the event loop's clock."""

    def data_received(self, data: bytes) -> None:
        end = data.find(END) + len(END)
        head = self._heads.get(data[:end])
        whole = head is not None and len(data) == end + head.length and self._is_between and not self._backlog
        if head is None or not whole or not self.is_free() or not self._respond(head.headers, data[end:]):
            super().data_received(data)

    def _respond(self, headers: Headers, body: bytes) -> bool:
        """Start the fast path. Return False, without side effects, if the request must go through ASGI."""
        responding = self._app.respond(headers, body)
        if responding is None:
            return False
        begun = responding if self._app.waits else begin(responding)
        if isinstance(begun, Response):
            self._send(begun)
        else:
            self._wait(begun)
        return True

    def _wait(self, response: Awaitable[Response]) -> None:
        self._unset_keepalive_if_required()
        waiting = SuspendedCycle()
        self.cycle = waiting  # type: ignore[assignment]
        task = self.loop.create_task(self._finish(response, waiting))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _finish(self, responding: Awaitable[Response], waiting: SuspendedCycle) -> None:
        try:
            response = await responding
        except Exception:
            self.logger.exception("a response could not be created")
            self.transport.close()
        else:
            waiting.response_complete = True
            if not self.transport.is_closing():
                self._send(response)
                if not waiting.keep_alive:
                    self.transport.close()

    def parse(self, data: bytes) -> None:
        # One fast-path request per event-loop turn: pipelined requests are queued by uvicorn.
        self._may_begin, self._begun = True, None
        was_between = self._is_between
        self._unset_keepalive_if_required()
        self.feed(data)
        if self._held is not None:
            self._go_by_asgi(self._taken())
        elif self._begun is not None and was_between:
            headers, body = self._begun
            end = data.find(END) + len(END)
            if data[end:] == body:
                if len(self._heads) == MOST_HEADS:
                    self._heads.clear()
                self._heads[data[:end]] = Head(headers, len(body))
        self.watch()

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()

    def begin_request(self) -> None:
        if self._may_begin and self.url == PATH and self._is_plain():
            self._may_begin, self._held = False, []
        else:
            super().begin_request()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        self._is_between = True
        if self._held is not None:
            body, headers = self._taken(), dict(self.headers)
            if self._respond(headers, body):
                if len(headers) == len(self.headers):
                    self._begun = headers, body
                return
            self._go_by_asgi(body)
        super().on_message_complete()

    def _is_plain(self) -> bool:
        """Return whether this is a short POST on an idle connection."""
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.expect_100_continue
            and self.is_free()
            and _is_short(self.headers)
        )

    def _taken(self) -> bytes:
        held, self._held = self._held or [], None
        return held[0] if len(held) == 1 else b"".join(held)

    def _go_by_asgi(self, body: bytes) -> None:
        """Hand the request over to uvicorn: its head and the part of the body that has arrived."""
        if not self.transport.is_closing():
            super().begin_request()
            super().on_body(body)

    def _send(self, response: Response) -> None:
        defaults = self.server_state.default_headers
        head, shared = _head(response.status, response.headers), _shared_lines(tuple(defaults))
        content = response.content
        self.transport.write_now(b"%b%bcontent-length: %d\r\n\r\n" % (head, shared, len(content)), content)
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

    def timeout_keep_alive_handler(self) -> None:
        left = self._used_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()


def _lines(fields: Fields) -> bytes:
    """Return header fields as lines."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


_shared_lines = lru_cache(1)(_lines)  # the fields of all responses: they have the date, so that they change each second


@lru_cache(256)
def _head(status: int, headers: Fields) -> bytes:
    """Return the status line and the header fields of a response."""
    return STATUS_LINE[status] + _lines(headers)


def _is_short(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether Content-Length is present and short."""
    return any(name == b"content-length" and len(value) < 6 and int(value) <= SHORT for name, value in headers)
