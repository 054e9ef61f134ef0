"""Limit on the size of WebSocket messages before authentication. uvicorn's protocol buffers whole messages."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION = "voltgraph.message_limit"
"""Key in an ASGI scope's extensions of the function that lifts the limit."""
LONGEST_UNKNOWN = 64 * 2**10
"""Maximum bytes of a message before authentication."""


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with a limit on messages until the application lifts it."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            longest = self.conn.max_message_size
            self.conn.max_message_size = min(LONGEST_UNKNOWN, longest or LONGEST_UNKNOWN)
            lift = partial(setattr, self.conn, "max_message_size", longest)
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), EXTENSION: {"lift": lift}}


def lift(scope: MutableMapping[str, Any]) -> None:
    """Lift the limit after authentication."""
    if limit := scope.pop("extensions", {}).get(EXTENSION):
        limit["lift"]()
