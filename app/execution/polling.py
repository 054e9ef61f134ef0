"""Adaptive polling of DBOS's queue: at once after a pipeline was enqueued or ended, rarely while idle."""

from __future__ import annotations

import logging
import threading
from math import inf
from time import monotonic

from dbos import DBOS, Queue
from dbos._queue import queue_worker_thread

log = logging.getLogger("voltgraph")

EAGER = 0.2
"""Polling interval in seconds while active, and the minimum between two polls: the longest wait of a pipeline that
another process enqueued. DBOS frees a place in the queue a little after the pipeline ended."""
IDLE = 2.0
"""Polling interval in seconds while idle and no other process enqueues pipelines. A poll costs 3 ms of CPU time and
holds the interpreter."""
LASTING = 1.0
"""Seconds of active polling after a wake-up: a pipeline that ended keeps its place in the queue for a moment."""
PATIENCE = 2.0
"""Seconds to wait for a running poll at shutdown."""


class QueuePoller(threading.Event):
    """Stop event of DBOS's queue thread. DBOS calls `wait()` between two polls; overriding it sets the polling
    interval. `alone`: no other process enqueues pipelines. DBOS has no public way to end the wait, so its thread
    function is started here with this event."""

    def __init__(self, *, alone: bool) -> None:
        super().__init__()
        self._idle = IDLE if alone else EAGER
        self._due = threading.Event()
        self._eager_until = self._looked_at = -inf

    def begin(self, dbos: DBOS, queue: Queue) -> None:
        """Start polling."""
        self.soon()
        self._thread = threading.Thread(target=self._look, args=(dbos, queue), name="queue-poller", daemon=True)
        self._thread.start()

    def soon(self) -> None:
        """Poll as soon as possible, then at the active interval for a while. Thread-safe."""
        self._eager_until = monotonic() + LASTING
        self._due.set()

    def set(self) -> None:
        """Stop polling."""
        super().set()
        self._due.set()

    def join(self) -> None:
        """Wait for a running poll after `set()`."""
        self._thread.join(PATIENCE)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next poll; return True after `set()`. `timeout` is DBOS's own interval: EAGER, and more after
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
                log.exception("polling the queue failed; it is tried again")
            super().wait(EAGER)  # if the queue has been deleted, DBOS returns at once
