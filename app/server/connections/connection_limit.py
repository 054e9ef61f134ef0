"""Bounds on connections: how many are open, and how long a client may take nothing of what it is sent."""

from __future__ import annotations

import logging
import resource
from collections import Counter
from collections.abc import Sized

log = logging.getLogger("voltgraph.connections")

SPARE = 64
"""File descriptors that connections leave to databases, jobs and logs."""
OVER = 0.9
"""Share of the connections that were open when one was refused, below which the next refusal is logged again."""


class Connections:
    """Limit on open connections, and counts of those that were refused or aborted."""

    def __init__(self, most: int = 10_000, write_timeout: float = 30.0) -> None:
        self.write_timeout = write_timeout
        """Seconds after which a client that takes nothing of what it is sent is disconnected."""
        self._most, self._full_at = most, 0
        self._open: Sized = ()
        self.ended = Counter(refused=0, write_timeout=0)

    def watch(self, connections: Sized) -> None:
        """Take the server's collection of open connections, for `open`."""
        self._open = connections

    @property
    def open(self) -> int:
        """Number of open connections, WebSockets among them."""
        return len(self._open)

    def admits(self, open: int, descriptor: int) -> bool:
        """Whether one more connection may be served. `open` counts it already; `descriptor` is its own: the system
        gives the lowest that is free, so a high one says that few are left. One refusal of an episode is logged."""
        if open <= self._most and not _is_nearly_last(descriptor):
            if open < OVER * self._full_at:
                self._full_at = 0
            return True
        self.ended["refused"] += 1
        if not self._full_at:
            self._full_at = open
            why = f"the bound is {self._most}" if open > self._most else f"{SPARE} file descriptors are left"
            log.warning("%d connections are open and %s: more are refused", open - 1, why)
        return False

    def timed_out(self) -> None:
        """Count a connection that was aborted because its client took nothing."""
        self.ended["write_timeout"] += 1


def _is_nearly_last(descriptor: int) -> bool:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most != resource.RLIM_INFINITY and descriptor >= most - SPARE
