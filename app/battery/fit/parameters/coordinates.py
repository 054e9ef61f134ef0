"""Search coordinates: physical values, transformed and divided by the size of the initial guess."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from app.battery.costs import Array
from app.battery.fit.parameters.free_parameters import FreeParameter
from app.battery.fit.parameters.transforms import Map

FLOOR, FLOOR_OF_BOUNDS = 1e-6, 1e-3
"""Least size of a value, as a share of its initial value; of its farther bound where that is zero."""


class Coordinates:
    """Search coordinates of all d free parameters, in order."""

    def __init__(self, free: Mapping[str, FreeParameter]) -> None:
        self.free = dict(free)
        self.names = list(free)
        self._scales = [_scale(each) for each in free.values()]
        self._relative = np.array([each.transform.relative for each in free.values()])
        self._typical = np.array([_typical(each) for each in free.values()]) / self._scales
        self._floors = [_floor(each) for each in free.values()]
        self._inverses = [each.transform.inverse for each in free.values()]
        intervals = [each.transform.interval(each.low, each.high) for each in free.values()]
        self.low = np.array([low for low, _ in intervals]) / self._scales
        self.high = np.array([high for _, high in intervals]) / self._scales

    def point(self, values: Mapping[str, float]) -> Array:
        """Return the search coordinates of physical values, clipped to the bounds, shape (d,)."""
        place: Array = np.clip(self.unbounded(values), self.low, self.high)
        return place

    def unbounded(self, values: Mapping[str, float]) -> Array:
        """Search coordinates of physical values, wherever the bounds are, shape (d,)."""
        found = [self.free[name].transform.forward(values[name]) for name in self.names]
        place: Array = np.array(found) / self._scales
        return place

    def values(self, point: Array) -> dict[str, float]:
        """Return the physical values of search coordinates, clipped to the bounds."""
        inside = np.minimum(np.maximum(point, self.low), self.high).tolist()
        return {
            name: _physical(inverse, scale * each)
            for name, inverse, scale, each in zip(self.names, self._inverses, self._scales, inside, strict=True)
        }

    def physical(self, index: int, place: float) -> float:
        """Return the physical value of one search coordinate, ignoring the bounds."""
        return _physical(self._inverses[index], self._scales[index] * place)

    def slopes(self, values: Mapping[str, float]) -> Array:
        """Return the derivative of each physical value by its search coordinate, shape (d,)."""
        found = [self.free[name].transform.slope(values[name]) for name in self.names]
        slopes: Array = np.array(found) * self._scales
        return slopes

    def lengths(self, values: Mapping[str, float]) -> Array:
        """Change of each search coordinate that changes its physical value by its own size, shape (d,).

        The size of a value near zero is a small share of the initial one, or of the range of the bounds.
        """
        sizes = np.array([max(abs(values[name]), floor) for name, floor in zip(self.names, self._floors, strict=True)])
        slopes = np.abs(self.slopes(values))
        lengths: Array = np.divide(sizes, slopes, out=np.ones_like(sizes), where=slopes > 0)
        lengths[~np.isfinite(lengths)] = 1.0
        return lengths

    def sizes(self, point: Array) -> Array:
        """Typical size of each coordinate at a point, (d,): 1 for logarithms, whose steps are shares already."""
        sizes: Array = np.where(np.abs(point) > FLOOR * self._typical, np.abs(point), self._typical)
        sizes[self._relative] = 1.0
        return sizes


def _floor(free: FreeParameter) -> float:
    """The size of a value that is near zero: a share of the initial value, or else of the bounds."""
    if free.initial:
        return FLOOR * abs(free.initial)
    ends = [abs(end) for end in (free.low, free.high) if math.isfinite(end) and end]
    return FLOOR_OF_BOUNDS * max(ends, default=1.0)


def _scale(free: FreeParameter) -> float:
    """Return the size of the initial guess; if it is zero, the range of the bounds, or 1. Logarithms need no scale."""
    return _typical(free) if free.normalize and not free.transform.relative else 1.0


def _typical(free: FreeParameter) -> float:
    start = abs(free.transform.forward(free.initial))
    if start > 0:
        return start
    low, high = free.transform.interval(free.low, free.high)
    return high - low if math.isfinite(high - low) else 1.0


def _physical(inverse: Map, value: float) -> float:
    try:
        return inverse(value)
    except (OverflowError, ZeroDivisionError, ValueError):
        return math.inf
