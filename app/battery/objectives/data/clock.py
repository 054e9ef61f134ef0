"""Times that a cycler logged more than once, told apart so that a current can be interpolated over them.

A coarse clock gives rows the same time, and so do the last row of a step and the first of the next. Such rows follow
each other within a microsecond, in their order: the current between them is a jump.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

GAP = 1e-6
"""Seconds between rows of one time, if the next time leaves room for it."""
SHARE = 0.01
"""Most of the way to the next time that they take up together."""


def distinct_times(times: Array) -> Array:
    """Return times that rise strictly, (n,), for times that never fall: the first of each stays as it is."""
    new = np.concatenate(([True], np.diff(times) > 0))
    if new.all():
        return times
    starts = np.flatnonzero(new)
    counts: Array = np.diff(np.append(starts, times.size))
    room: Array = np.append(np.diff(times[starts]), np.inf)
    gaps = np.minimum(GAP, SHARE * room / counts)
    since = np.arange(times.size) - np.repeat(starts, counts)
    found: Array = times + since * np.repeat(gaps, counts)
    stuck: Array = np.flatnonzero(np.diff(found) <= 0) + 1
    for row in stuck.tolist():  # no number lies between: take the next float
        found[row] = max(found[row], np.nextafter(found[row - 1], np.inf))
    return found
