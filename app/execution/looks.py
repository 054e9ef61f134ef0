"""When a worker looks into the engine's queue: at once after a pipeline came or ended, seldom while nothing happens."""

from __future__ import annotations

import logging
import threading
from math import inf
from time import monotonic

from dbos import DBOS, Queue
from dbos._queue import queue_worker_thread

log = logging.getLogger("voltgraph")

EAGER = 0.2
"""Seconds between two looks while something happens: what a pipeline that another process started waits at most. No
two follow each other sooner: DBOS knows a little later than it takes a pipeline that one place less is free."""
IDLE = 2.0
"""The same while nothing happens, and no other process starts any. Each look costs 3 ms of a core, and takes the
interpreter from requests meanwhile."""
LASTING = 1.0
"""Seconds that something goes on to happen: a pipeline that ended holds its place in the queue for a moment."""
PATIENCE = 2.0
"""Seconds to wait for a look under way at the end."""


class Looks(threading.Event):
    """A thread of DBOS's looks into a queue. In between it waits on this: set, it ends. `alone`: no other process
    puts anything into the queue. DBOS has no public way to end a wait, so its own thread is begun here, with an event
    that knows one."""

    def __init__(self, *, alone: bool) -> None:
        super().__init__()
        self._idle = IDLE if alone else EAGER
        self._due = threading.Event()
        self._eager_until = self._looked_at = -inf

    def begin(self, dbos: DBOS, queue: Queue) -> None:
        """Look from now on."""
        self.soon()
        self._thread = threading.Thread(target=self._look, args=(dbos, queue), name="looks", daemon=True)
        self._thread.start()

    def soon(self) -> None:
        """Look as soon as may be, and often for a while. From any thread."""
        self._eager_until = monotonic() + LASTING
        self._due.set()

    def set(self) -> None:
        """Look no more."""
        super().set()
        self._due.set()

    def join(self) -> None:
        """Wait for a look under way, once no other follows."""
        self._thread.join(PATIENCE)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next look. True at the end. `timeout`: the seconds that DBOS would wait: EAGER, and more after
        conflicts with other workers."""
        seconds = timeout or EAGER
        self._due.wait(seconds if monotonic() < self._eager_until else max(seconds, self._idle))
        super().wait(max(0, self._looked_at + EAGER - monotonic()))
        self._due.clear()
        self._looked_at = monotonic()
        return self.is_set()

    def _look(self, dbos: DBOS, queue: Queue) -> None:
        while not self.is_set():
            try:
                queue_worker_thread(self, dbos, queue)
            except Exception:
                log.exception("looking into the queue failed; it is tried again")
            super().wait(EAGER)  # where the queue is gone, DBOS comes back at once
