"""Stop times of the integrator: rows at which it restarts, so that it cannot step over current.

An integrator evaluates the current only at the ends of its steps. Between two stops the data must therefore follow a
cubic within a tolerance. Such a current has no bends of its own: it is visible at the end of every step, and the
integrator's error control handles it. Each corner is a stop, that is, each row off the line between its neighbours. A
stretch that no cubic follows is divided at the row that is furthest off, until a cubic follows each, as in the
Ramer-Douglas-Peucker algorithm.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

ROUNDING = 1e-12
"""Deviation due to floating-point rounding, as a share of the largest value."""
MAX_DIVISIONS = 64
"""Maximum rounds of division. A round about halves a smooth stretch; after the last, all rows of a stretch are
stops."""
NODES = 4
"""Number of rows that determine a cubic."""


def stop_rows(times: Array, values: Array, absolute: float, relative: float) -> Array:
    """Return a mask of the rows to stop at, (n,), for rising times and values (n,); both ends are stops.

    `absolute` and `relative` are tolerances of a row's deviation. At a corner, `relative` refers to the row's value.
    Along a stretch it refers to the largest value there, or to the mean of all values if that is larger; `relative`
    times the mean then also bounds `absolute`.
    """
    stops = corners(times, values, absolute, relative)
    if absolute == relative == 0:
        return stops
    sizes = np.abs(values)
    mean = float(np.trapezoid(sizes, times) / (times[-1] - times[0]))
    floor = ROUNDING * float(sizes.max()) + (min(absolute, relative * mean) if relative else absolute)
    ends = np.flatnonzero(stops)
    first, last = ends[:-1], ends[1:]
    for _ in range(MAX_DIVISIONS):
        long = last - first >= NODES
        first, last = first[long], last[long]
        if not first.size:
            break
        rows, at = _rows(first, last)
        missed = _cubic_deviations(times, values, first, last, rows)
        furthest = np.maximum.reduceat(missed, at)
        failing = furthest > floor + relative * np.maximum(np.maximum.reduceat(sizes[rows], at), mean)
        middle = _furthest(missed, furthest, at, rows)[failing]
        stops[middle] = True
        first, last = np.append(first[failing], middle), np.append(middle, last[failing])
    else:
        stops[_rows(first, last)[0]] = True
    return stops


def corners(times: Array, values: Array, absolute: float, relative: float) -> Array:
    """Return a mask of the rows off the line between their neighbours, and of the ends, (n,), for times and values
    (n,)."""
    share = (times[1:-1] - times[:-2]) / (times[2:] - times[:-2])
    line = values[:-2] + share * (values[2:] - values[:-2])
    turns = np.abs(values[1:-1] - line) > absolute + relative * np.abs(values[1:-1])
    mask: Array = np.concatenate([[True], turns, [True]])
    return mask


def _rows(first: Array, last: Array) -> tuple[Array, Array]:
    """Return the rows of all stretches without their last ones, concatenated, and the start of each stretch therein."""
    lengths = last - first
    at = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(first - at, lengths), at


def _cubic_deviations(times: Array, values: Array, first: Array, last: Array, rows: Array) -> Array:
    """Return the distance of each of `rows` from the cubic through four rows of its stretch, by Lagrange's formula."""
    lengths = last - first
    nodes = [first + np.rint(lengths * index / (NODES - 1)).astype(int) for index in range(NODES)]
    found = np.zeros(rows.size)
    for node in nodes:
        scale = np.ones(first.size)
        weights = np.ones(rows.size)
        for other in nodes:
            if other is not node:
                scale *= times[node] - times[other]
                weights *= times[rows] - np.repeat(times[other], lengths)
        found += weights * np.repeat(values[node] / scale, lengths)
    missed: Array = np.nan_to_num(np.abs(values[rows] - found), nan=np.inf)
    return missed


def _furthest(missed: Array, greatest: Array, at: Array, rows: Array) -> Array:
    """Return the first row of each stretch with the largest deviation."""
    lengths: Array = np.diff(np.append(at, rows.size))
    found = np.flatnonzero(missed == np.repeat(greatest, lengths))
    furthest: Array = rows[found[np.searchsorted(found, at)]]
    return furthest
