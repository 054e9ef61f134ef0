"""Counters of database connections that an error left in a wrong state and that were rolled back or replaced."""

from __future__ import annotations

import logging
from functools import partial
from math import inf
from threading import Lock
from time import monotonic

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger("voltgraph")

LOGGED = 60.0
"""Seconds between two log lines about one connection: with a broken disk every request causes a recovery."""


class Recoveries:
    """Counter of recoveries by connection, which logs at most one recovery per connection and minute."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._logged: dict[str, float] = {}
        self._lock = Lock()

    def __call__(self) -> dict[str, int]:
        """Return the counts since the start of the process, by connection."""
        return dict(self._counts)

    def register(self, connection: str) -> None:
        """Initialise the count of a connection to 0, so that it is reported before its first recovery."""
        self._counts.setdefault(connection, 0)

    def watch(self, engine: AsyncEngine, connection: str) -> None:
        """Count the connections that the pool of an engine invalidates."""
        self.register(connection)
        event.listen(engine.sync_engine, "invalidate", partial(self._invalidated, connection))

    def add(self, connection: str, cause: object) -> None:
        """Count a recovery; log it unless a recovery of this connection was logged within `LOGGED` seconds."""
        with self._lock:  # threads read too
            self._counts[connection] = count = self._counts.get(connection, 0) + 1
            if monotonic() - self._logged.get(connection, -inf) < LOGGED:
                return
            self._logged[connection] = monotonic()
        reason = f"{type(cause).__name__}: {cause}" if isinstance(cause, BaseException) else cause
        log.warning("recovered a database connection (%s, %d so far): %s", connection, count, reason)

    def _invalidated(self, connection: str, _driver: object, _record: object, error: BaseException | None) -> None:
        self.add(connection, error or "it was replaced")
