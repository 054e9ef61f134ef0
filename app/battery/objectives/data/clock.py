"""Distinct times for rows that a cycler logged at the same time, so that a current can be interpolated over them.

A coarse clock gives several rows the same time; so do the last row of a step and the first row of the next. Such rows
are placed at most a microsecond apart, in their order: the current between them is a jump.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

GAP = 1e-6
"""Seconds between rows of equal time, if the next time leaves room for it."""
SHARE = 0.01
"""Maximum share of the time to the next row that rows of equal time fill together."""


def distinct_times(times: Array) -> Array:
    """Return strictly rising times, (n,), for times that never fall; the first row of each time is unchanged."""
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
