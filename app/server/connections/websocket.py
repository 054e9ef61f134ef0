"""uvicorn's WebSocket protocol with a write timeout, less memory, and without a traceback for invalid UTF-8 or a lost
client."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from websockets.datastructures import Headers

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

    transport: CoalescingTransport  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue, self.writable = EventQueue(), Flag()  # type: ignore[assignment]

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


def _is_utf8(frames: list[bytes]) -> bool:
    data = frames[0] if len(frames) == 1 else b"".join(frames)
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
