"""Stop times of the integrator: rows at which it restarts, so that it cannot step over current.

An integrator looks at the current only where its steps end. Between two stops the data therefore follow a cubic to
within a tolerance: a current without bends of its own, which shows at the end of every step and is left to the
integrator's error control. A stop stands at each corner (where the line between the neighbours of a row misses it), and
a stretch that no cubic follows is divided at the row that is furthest off, until all are followed, as in the algorithm
of Ramer, Douglas and Peucker.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

ROUNDING = 1e-12
"""Share of the greatest value below which a deviation is that of floating point numbers."""
MAX_DIVISIONS = 64
"""Rounds of division. A round about halves a smooth stretch; after the last, all rows of a stretch are stops."""
NODES = 4
"""Rows that a cubic goes through."""


def stop_rows(times: Array, values: Array, absolute: float, relative: float) -> Array:
    """A mask of the rows to stop at, (n,), for rising times and values (n,); the ends are among them.

    `absolute` and `relative` say how far off a row may be: relative to itself at a corner; along a stretch to the
    greatest value there, or to the mean of all where that is greater, which also bounds `absolute` then.
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
    """Where the values turn, with the ends: a mask, (n,), for times and values (n,)."""
    share = (times[1:-1] - times[:-2]) / (times[2:] - times[:-2])
    line = values[:-2] + share * (values[2:] - values[:-2])
    turns = np.abs(values[1:-1] - line) > absolute + relative * np.abs(values[1:-1])
    mask: Array = np.concatenate([[True], turns, [True]])
    return mask


def _rows(first: Array, last: Array) -> tuple[Array, Array]:
    """The rows of all stretches, one behind the other, without their last; and where each stretch begins there."""
    lengths = last - first
    at = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(first - at, lengths), at


def _cubic_deviations(times: Array, values: Array, first: Array, last: Array, rows: Array) -> Array:
    """How far each of `rows` is from the cubic through four rows of its stretch, by Lagrange's formula."""
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
    """The first row of each stretch that is as far off as its furthest."""
    lengths: Array = np.diff(np.append(at, rows.size))
    found = np.flatnonzero(missed == np.repeat(greatest, lengths))
    furthest: Array = rows[found[np.searchsorted(found, at)]]
    return furthest
