"""Between physical values and search coordinates: transformed, then divided by the size of the initial guess."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from app.battery.costs import Array
from app.battery.fit.parameters import Free
from app.battery.fit.transforms import Map


class Coordinates:
    """Of all free parameters, in order: d of them."""

    def __init__(self, free: Mapping[str, Free]) -> None:
        self.free = dict(free)
        self.names = list(free)
        self._scales = [_scale(each) for each in free.values()]
        self._inverses = [each.transform.inverse for each in free.values()]
        intervals = [each.transform.interval(each.low, each.high) for each in free.values()]
        self.low = np.array([low for low, _ in intervals]) / self._scales
        self.high = np.array([high for _, high in intervals]) / self._scales

    def point(self, values: Mapping[str, float]) -> Array:
        """Search coordinates of physical values, within the bounds, shape (d,)."""
        found = [self.free[name].transform.forward(values[name]) for name in self.names]
        place: Array = np.clip(np.array(found) / self._scales, self.low, self.high)
        return place

    def values(self, point: Array) -> dict[str, float]:
        """Physical values of search coordinates, which are brought within the bounds."""
        inside = np.minimum(np.maximum(point, self.low), self.high).tolist()
        return {
            name: _physical(inverse, scale * each)
            for name, inverse, scale, each in zip(self.names, self._inverses, self._scales, inside, strict=True)
        }

    def physical(self, index: int, place: float) -> float:
        """The physical value of one search coordinate, wherever the bounds are."""
        return _physical(self._inverses[index], self._scales[index] * place)

    def slopes(self, values: Mapping[str, float]) -> Array:
        """Change of each physical value with its search coordinate, shape (d,)."""
        found = [self.free[name].transform.slope(values[name]) for name in self.names]
        slopes: Array = np.array(found) * self._scales
        return slopes


def _scale(free: Free) -> float:
    """The size of the initial guess; where that is zero, the range of the bounds, or 1. Logarithms need none."""
    start = abs(free.transform.forward(free.initial))
    if not free.normalize or free.transform.relative:
        return 1.0
    if start > 0:
        return start
    low, high = free.transform.interval(free.low, free.high)
    return high - low if math.isfinite(high - low) else 1.0


def _physical(inverse: Map, value: float) -> float:
    try:
        return inverse(value)
    except (OverflowError, ZeroDivisionError, ValueError):
        return math.inf
