"""How much each API key may ask for: a bucket of cost that fills as time goes by."""

from __future__ import annotations

from math import ceil
from time import monotonic

from app.errors import TooMuch

MINUTE = 60.0
REMEMBERED = 10_000


class Rates:
    """The buckets of all keys. A full one holds what may be spent in a minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: dict[str, tuple[float, float]] = {}
        """What is left, and when that was so."""

    def spend(self, key: str, cost: int) -> int:
        """What is left of a key's bucket once this was spent. TooMuch where there is less."""
        at = monotonic()
        left, then = self._buckets.get(key, (self._most, at))
        left = min(self._most, left + (at - then) * self._most / MINUTE)
        if cost > left:
            self._buckets[key] = left, at
            raise TooMuch(ceil((min(cost, self._most) - left) * MINUTE / self._most))
        if key not in self._buckets and len(self._buckets) >= REMEMBERED:
            self._buckets.clear()
        self._buckets[key] = left - cost, at
        return int(left - cost)
