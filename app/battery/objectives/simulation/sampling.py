"""Sampling of measured data: steps of the current that too few rows show.

Between rows the current is linear. A step that fell between two rows is a ramp from one to the other, and a model that
is fitted to it answers a ramp: harmless where rows are dense, and a wrong diffusivity where they are not.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

STEP = 0.05
"""Least change between two rows that is a step, as a share of the greatest current."""
LEVEL_ROWS = 4
"""Least rows between two steps that make a level."""
UNEVEN = 0.3
"""Range of the current on a level, as a share of the step, above which it is no level."""
SPARSE = 0.02
"""Time between the two rows of a step above which these are sparse, as a share of the shorter level beside it."""


def sparse_steps(times: Array, current: Array) -> Array:
    """The rows before steps of the current that look like ramps, (k,), for rising times and a current (n,)."""
    change = np.abs(np.diff(current))
    steps = np.flatnonzero(change > STEP * np.abs(current).max(initial=0.0))
    if not steps.size:
        return steps
    first: Array = np.append(0, steps + 1)  # rows of the levels between steps
    last: Array = np.append(steps, times.size - 1)
    ranges = np.maximum.reduceat(current, first) - np.minimum.reduceat(current, first)
    durations = np.where(last - first + 1 >= LEVEL_ROWS, times[last] - times[first], np.inf)
    before, after = (
        np.where(ranges[side] <= UNEVEN * change[steps], durations[side], np.inf)
        for side in (slice(None, -1), slice(1, None))
    )
    sparse: Array = steps[times[steps + 1] - times[steps] > SPARSE * np.minimum(before, after)]
    return sparse
