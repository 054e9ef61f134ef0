"""Timer of the pings of all WebSockets."""

from __future__ import annotations

import asyncio
from contextvars import Context
from math import ceil
from typing import Protocol

TICK = 0.1
"""Seconds by which a ping may be late."""


class Pinged(Protocol):
    """WebSocket that sends pings."""

    def send_keepalive_ping(self) -> None:
        """Send a ping, unless the connection is closing."""


class Pings:
    """Timer that WebSockets share: one of its own would take 600 bytes for each."""

    def __init__(self) -> None:
        self._due: dict[int, set[Pinged]] = {}
        """WebSockets by the number of their tick."""
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0
        """Tick of the timer."""

    def add(self, socket: Pinged, loop: asyncio.AbstractEventLoop, delay: float) -> int:
        """Let a WebSocket send a ping after `delay` seconds. Return the tick, by which it is removed to send none."""
        tick = ceil((loop.time() + delay) / TICK)
        self._due.setdefault(tick, set()).add(socket)
        if self._timer is None or tick < self._next:
            self._wait(loop, tick)
        return tick

    def remove(self, socket: Pinged, tick: int) -> None:
        """Forget a WebSocket."""
        waiting = self._due.get(tick, set())
        waiting.discard(socket)
        if not waiting:  # kept empty ones would lie between the freed memory of closed connections, and hold it
            self._due.pop(tick, None)

    def _wait(self, loop: asyncio.AbstractEventLoop, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = tick
        self._timer = loop.call_at(tick * TICK, self._send, loop, context=Context())

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        for tick in sorted(each for each in self._due if each <= self._next):
            for socket in self._due.pop(tick):
                loop.call_soon(socket.send_keepalive_ping)  # alone, so that none fails with another
        if self._due:
            self._wait(loop, min(self._due))
