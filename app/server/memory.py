"""Return of memory to the system after many subscriptions have ended."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context

FEWEST = 500
"""Number of ended subscriptions from which memory is returned."""
DELAY = 1.0
"""Seconds to wait for further ends."""


class Reclaimer:
    """Reclaimer of memory: collects garbage and trims the heap once as many subscriptions have ended as are open. The
    pause is in proportion to the number that ended."""

    def __init__(self) -> None:
        self._ended = 0
        self._timer: asyncio.TimerHandle | None = None
        self._trim = _find_trim()

    def released(self, left: int) -> None:
        """Count a subscription that ended; `left` are open."""
        self._ended += 1
        if self._ended >= max(FEWEST, left) and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._reclaim, context=Context())

    def _reclaim(self) -> None:
        self._ended, self._timer = 0, None
        gc.collect()
        if self._trim is not None:
            self._trim(0)


def _find_trim() -> Callable[[int], int] | None:
    """Return glibc's malloc_trim, which other C libraries do not have."""
    with suppress(OSError, AttributeError):
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
        return trim
    return None
