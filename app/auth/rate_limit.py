"""Rate limiter per API key (token bucket of cost)."""

from __future__ import annotations

from math import ceil
from time import monotonic

from app.auth.caller import Caller
from app.errors import RateLimited

MINUTE = 60.0
REQUEST = 20
"""Cost of a REST request."""
PER_SECOND = 20_000
"""Cost of one second of CPU time: the most expensive operation takes a quarter of a second."""

CHARGED, COPIED_PER_SECOND = 2**20, 200e6
"""Bytes of a copy from which its CPU time is charged, and bytes that are copied in a second of it."""


class RateLimiter:
    """Rate limiter: a token bucket per key. A full bucket holds the cost that may be spent in a minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tokens left and their time, by key prefix."""

    def spend(self, caller: Caller, cost: int) -> int | None:
        """Take tokens and return the rest; None for a caller without a key. Raises RateLimited if there are too few."""
        if caller.key is None:
            return None
        left, at = self._left(caller.key)
        if cost > left:
            raise self._limited(left, cost)
        self._buckets[caller.key] = left - cost, at
        return int(left - cost)

    def charge(self, caller: Caller, seconds: float) -> None:
        """Charge the cost of CPU time that was already used; the balance may become negative. Raises RateLimited if it
        was negative before."""
        if caller.key is None:
            return
        left, at = self._left(caller.key)
        if left < 0:
            raise self._limited(left, 0)
        self._buckets[caller.key] = left - ceil(seconds * PER_SECOND), at

    def charge_copy(self, caller: Caller, size: int) -> None:
        """Charge the CPU time of a copy of many bytes. Raises RateLimited."""
        if size >= CHARGED:
            self.charge(caller, size / COPIED_PER_SECOND)

    def _limited(self, left: float, cost: int) -> RateLimited:
        return RateLimited(ceil((min(cost, self._most) - left) * MINUTE / self._most) or 1)

    def _left(self, key: str) -> tuple[float, float]:
        """Return the tokens in a key's bucket, and the time of that balance."""
        at = monotonic()
        left, then = self._buckets.get(key, (self._most, at))
        return min(self._most, left + (at - then) * self._most / MINUTE), at
