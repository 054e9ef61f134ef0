"""Timers of the pings of all WebSockets."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import Protocol

TICK = 0.1
"""Seconds between two timers, by which a ping may be late."""


class Pinged(Protocol):
    """WebSocket that sends pings."""

    def send_keepalive_ping(self) -> None:
        """Send a ping, unless the connection is closing."""


class Pings:
    """Timers that WebSockets share: one of its own would take 600 bytes for each."""

    def __init__(self) -> None:
        self._due: dict[int, set[Pinged]] = {}
        """WebSockets by the number of their tick."""

    def add(self, socket: Pinged, loop: asyncio.AbstractEventLoop, delay: float) -> set[Pinged]:
        """Let a WebSocket send a ping after `delay` seconds. Return the set from which it is removed to send none."""
        tick = ceil((loop.time() + delay) / TICK)
        if tick not in self._due:
            self._due[tick] = set()
            loop.call_at(tick * TICK, self._send, loop, tick)
        self._due[tick].add(socket)
        return self._due[tick]

    def _send(self, loop: asyncio.AbstractEventLoop, tick: int) -> None:
        for socket in self._due.pop(tick):
            loop.call_soon(socket.send_keepalive_ping)  # alone, so that none fails with another
