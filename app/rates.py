"""How much each API key may ask for: a bucket of cost that fills again as time goes by."""

from __future__ import annotations

from math import ceil
from time import monotonic

from app.callers import Caller
from app.errors import RateLimited

MINUTE = 60.0
REQUEST = 20
"""What a request over REST costs."""


class Rates:
    """The buckets of all keys. A full one holds what may be spent in a minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: dict[str, tuple[float, float]] = {}
        """By the prefix of a key: what is left, and when that was so."""

    def spend(self, caller: Caller, cost: int) -> int | None:
        """What is left once this was spent; None for who has no key. RateLimited where there is less."""
        if caller.key is None:
            return None
        at = monotonic()
        left, then = self._buckets.get(caller.key, (self._most, at))
        left = min(self._most, left + (at - then) * self._most / MINUTE)
        if cost > left:
            raise RateLimited(ceil((min(cost, self._most) - left) * MINUTE / self._most) or 1)
        self._buckets[caller.key] = left - cost, at
        return int(left - cost)
