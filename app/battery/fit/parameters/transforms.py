"""Transforms of parameters for the search. Bounds and values of a configuration are physical."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Map = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Transform:
    """Transform u = forward(x), x = inverse(u), and dx/du as a function of x. `low` is the lower limit of physical
    values; steps of a `relative` transform are relative to the value."""

    forward: Map
    inverse: Map
    slope: Map
    low: float = -math.inf
    relative: bool = False
    falls: bool = False
    no_zero: bool = False

    def problem(self, low: float, high: float) -> str | None:
        """Return why values from `low` to `high` cannot be transformed."""
        if low <= self.low > -math.inf and not math.isinf(low):
            return f"must be greater than {self.low:g}"
        if self.no_zero and low <= 0 <= high:
            return "must not include zero"
        if not all(math.isfinite(self._limit(value)) for value in (low, high) if math.isfinite(value)):
            return "are too large to transform"
        return None

    def interval(self, low: float, high: float) -> tuple[float, float]:
        """Return the bounds in u, the lower first."""
        ends = self._limit(low), self._limit(high)
        return (min(ends), max(ends)) if self.falls else ends

    def _limit(self, value: float) -> float:
        try:
            return self.forward(value)
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.inf if value > 0 else -math.inf


def _same(value: float) -> float:
    return value


TRANSFORMS: dict[str, Transform] = {
    "Exp": Transform(math.exp, math.log, lambda x: math.exp(-x)),
    "Identity": Transform(_same, _same, lambda x: 1.0),
    "Inverse": Transform(lambda x: 1 / x, lambda u: 1 / u, lambda x: -x * x, falls=True, no_zero=True),
    "Log": Transform(math.log, math.exp, _same, low=0.0, relative=True),
    "Log10": Transform(math.log10, lambda u: 10.0**u, lambda x: x * math.log(10), low=0.0, relative=True),
    "Negate": Transform(lambda x: -x, lambda u: -u, lambda x: -1.0, falls=True),
    "Pow10": Transform(lambda x: 10.0**x, math.log10, lambda x: 10.0**-x / math.log(10)),
}
"""Transforms of the public schema by name."""
