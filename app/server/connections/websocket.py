"""uvicorn's WebSocket protocol with a write timeout, less memory, and without a traceback for invalid UTF-8 or a lost
client."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from websockets.datastructures import Headers
from websockets.frames import Frame

from app.server.connections.message_limit import LimitedWebSocket
from app.server.connections.transport import CoalescingTransport, WriteTimeout
from app.server.connections.waiting import EventQueue, Flag

NO_HEADERS = Headers()
INVALID_DATA = 1007
"""Close code of a message whose data are not of its type (RFC 6455, 7.4.1)."""


class WebSocket(WriteTimeout, LimitedWebSocket):
    """uvicorn's protocol over a transport with a write timeout."""

    __slots__ = (
        "close_timer",
        "curr_msg_data_type",
        "disconnected",
        "frames",
        "initial_response",
        "last_ping_rtt",
        "pending_ping_payload",
        "ping_sent_at",
        "ping_timer",
        "pong_timer",
        "queue",
        "read_paused",
        "request",
        "response",
        "writable",
    )
    # An object with more than 30 attributes has a table of names of its own, 1.3 KiB long, beside its values.

    queue: EventQueue  # type: ignore[assignment]
    transport: CoalescingTransport  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue, self.writable = EventQueue(), Flag()  # type: ignore[assignment]
        self.app = self.config.app  # without uvicorn's middleware, because no WebSocket needs the headers of proxies

    def connection_made(self, transport: CoalescingTransport) -> None:  # type: ignore[override]
        super().connection_made(transport)  # type: ignore[arg-type]
        self.server = _shared(self.server)

    async def receive(self) -> Any:
        if self.queue.empty():
            await self.queue.wait()
        message = self.queue.get_nowait()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()
        return message

    async def send(self, message: Any) -> None:
        try:
            await super().send(message)
            if message["type"] == "websocket.accept":
                self.request.headers = NO_HEADERS  # the handshake is over, but the socket may last for days
                del self.request, self.response
        except RuntimeError:
            # The connection was closed meanwhile, such as by the timeout of a ping; uvicorn takes that for a mistake of
            # the application, which has not heard of it yet.
            if self.close_sent and message["type"] == "websocket.send":
                raise ClientDisconnected from None
            raise

    def schedule_ping(self) -> None:
        assert self.ping_interval is not None
        delay = max(0.0, self.ping_interval - self.last_ping_rtt)
        self.ping_timer = self.transport.limits.pings.add(self, self.loop, delay)  # type: ignore[assignment]

    def stop_keepalive(self) -> None:
        tick: Any = self.ping_timer
        if tick is not None:
            self.transport.limits.pings.remove(self, tick)
            self.ping_timer = None
        super().stop_keepalive()

    def handle_text(self, event: Frame) -> None:
        super().handle_text(event)
        event.data = b""  # the parser keeps its last frame

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        event.data = b""

    def handle_ping(self) -> None:
        pongs = self.conn.data_to_send()
        if self.writable.is_set():  # otherwise pongs would pile up for a client that reads none
            self.transport.write(b"".join(pongs))

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(self.frames):
            self.frames = []
            self.conn.send_close(INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()


@lru_cache(64)
def _shared(address: tuple[str, int | None] | None) -> tuple[str, int | None] | None:
    """Return an equal address, which all connections to it share."""
    return address


def _is_utf8(frames: list[bytes]) -> bool:
    data = frames[0] if len(frames) == 1 else b"".join(frames)
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
