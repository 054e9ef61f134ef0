"""A limit on what a WebSocket sends before it is known who does: uvicorn's protocol collects whole messages first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION = "voltgraph.message_limit"
"""In an ASGI scope's extensions: how to lift the limit."""
LONGEST_UNKNOWN = 64 * 2**10
"""Bytes of a message of an unknown sender."""


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which takes short messages only until the application lifts the limit."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            longest = self.conn.max_message_size
            self.conn.max_message_size = min(LONGEST_UNKNOWN, longest or LONGEST_UNKNOWN)
            lift = partial(setattr, self.conn, "max_message_size", longest)
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), EXTENSION: {"lift": lift}}


def lift(scope: Mapping[str, Any]) -> None:
    """Take longer messages from now on: it is known who sends them."""
    if limit := scope.get("extensions", {}).get(EXTENSION):
        limit["lift"]()
