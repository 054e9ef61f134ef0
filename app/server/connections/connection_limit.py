"""Limits on connections: number of open connections, and timeout of writes."""

from __future__ import annotations

import logging
import resource
from collections import Counter
from collections.abc import Sized

from app.server.connections.pings import Pings

log = logging.getLogger("voltgraph.connections")

SPARE = 64
"""File descriptors reserved for databases, jobs and logs."""
OVER = 0.9
"""Hysteresis of the log message: the next refusal is logged after the number of connections fell below this share of
the number at the last logged refusal."""


class Connections:
    """Limit on open connections, and counts of those that were refused or aborted."""

    def __init__(self, most: int = 10_000, write_timeout: float = 30.0) -> None:
        self.write_timeout = write_timeout
        """Seconds without progress after which a client that does not read its data is disconnected."""
        self._most, self._full_at = most, 0
        self._open: Sized = ()
        self.pings = Pings()
        self.ended = Counter(refused=0, write_timeout=0)

    def watch(self, connections: Sized) -> None:
        """Take the server's collection of open connections, which `open` counts."""
        self._open = connections

    @property
    def open(self) -> int:
        """Number of open connections, including WebSockets."""
        return len(self._open)

    def admits(self, open: int, descriptor: int) -> bool:
        """Return whether one more connection may be served. `open` already counts it. `descriptor` is its file
        descriptor: the system assigns the lowest free number, so a high number means that few are left. Only the first
        refusal of an episode is logged."""
        if open <= self._most and not _is_nearly_last(descriptor):
            if open < OVER * self._full_at:
                self._full_at = 0
            return True
        self.ended["refused"] += 1
        if not self._full_at:
            self._full_at = open
            why = f"the limit is {self._most}" if open > self._most else f"{SPARE} file descriptors are left"
            log.warning("%d connections are open and %s: more are refused", open - 1, why)
        return False

    def timed_out(self) -> None:
        """Count a connection that was aborted by the write timeout."""
        self.ended["write_timeout"] += 1


def _is_nearly_last(descriptor: int) -> bool:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most != resource.RLIM_INFINITY and descriptor >= most - SPARE
