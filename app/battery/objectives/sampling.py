"""Detection of current steps with too few rows around them.

Between rows the current is linear. A step between two rows becomes a ramp from one to the other, and a model is fitted
to the ramp. That is harmless if rows are dense, and gives a wrong diffusivity if they are sparse.
"""

from __future__ import annotations

import numpy as np

from app.battery.objectives.objective import Array

STEP = 0.05
"""Minimum change between two rows that counts as a step, as a share of the largest current."""
LEVEL_ROWS = 4
"""Minimum number of rows of a level between two steps."""
UNEVEN = 0.3
"""Maximum range of the current on a level, as a share of the step."""
SPARSE = 0.02
"""Time between the two rows of a step above which they are sparse, as a share of the shorter adjacent level."""


def sparse_steps(times: Array, current: Array) -> Array:
    """Return the rows before steps that are sampled as ramps, (k,), for rising times and a current (n,)."""
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
