"""History of a fit: its evaluations, thinned while it runs so that their number stays bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.battery.costs import Array
from app.execution.executor import Series
from app.models.enums import HISTORY, SeriesSource

MOST = 5_000
"""Maximum number of evaluations that are kept."""
COLUMNS = ("evaluation", "start", "cost", "best_cost")
"""Channels before those of the parameters."""
TAKEN = " (parameter)"
"""Suffix of the channel of a parameter whose name is that of another channel."""


class Evaluation(NamedTuple):
    """An evaluation of the cost."""

    number: int
    """Number from 1, over all searches."""
    start: int
    """Search, from 0."""
    cost: float
    """NaN if there is no solution."""
    best: float
    """Lowest cost so far; infinite before the first solution."""
    improvement: int
    """Number of the improvement, from 1, over all searches; 0 if the cost is not lower than before."""
    values: Array
    """Values of the parameters, (n,); NaN marks a missing value."""


class History:
    """The evaluations of a fit. Keeps each one until there are more than `MOST`; then every second, fourth, and so on.
    Improvements are thinned only if they are more than the others. The best and the last are always kept."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows: list[Evaluation] = []
        self._every = self._every_improvement = 1
        self._improvements = 0
        self._best = math.inf

    def add(self, number: int, start: int, cost: float | None, values: Mapping[str, float]) -> None:
        """Add an evaluation; `cost` is None if there is no solution."""
        improvement = 0
        if cost is not None and cost < self._best:
            self._best = cost
            improvement = self._improvements = self._improvements + 1
        if self._rows and not self._is_kept(self._rows[-1]):
            self._rows.pop()
        taken = np.array([values.get(name, math.nan) for name in self._names])
        shown = math.nan if cost is None else cost
        self._rows.append(Evaluation(number, start, shown, self._best, improvement, taken))
        if len(self._rows) > MOST:
            self._thin()

    def _is_kept(self, row: Evaluation) -> bool:
        return self._is_regular(row) or (
            row.improvement > 0
            and (row.improvement % self._every_improvement == 0 or row.improvement == self._improvements)
        )

    def _is_regular(self, row: Evaluation) -> bool:
        return (row.number - 1) % self._every == 0

    def _thin(self) -> None:
        """Leave at most three quarters, so that the next evaluations need no thinning."""
        last = self._rows.pop()
        while len(self._rows) > MOST * 3 // 4:
            if 2 * sum(map(self._is_regular, self._rows)) >= len(self._rows):
                self._every *= 2
            else:
                self._every_improvement *= 2
            self._rows = [row for row in self._rows if self._is_kept(row)]
        self._rows.append(last)

    def series(self, normalised: Callable[[Mapping[str, float]], dict[str, float]]) -> Series:
        """Return the evaluations as a series, with values in normalised form."""
        channels: dict[str, Sequence[float | None]] = {
            "evaluation": [row.number for row in self._rows],
            "start": [row.start for row in self._rows],
            "cost": [_finite(row.cost) for row in self._rows],
            "best_cost": [_finite(row.best) for row in self._rows],
        }
        values = [normalised(self._values(row)) for row in self._rows]
        for name in self._names:
            channel = name
            while channel in channels:
                channel += TAKEN
            channels[channel] = [each.get(name) for each in values]
        return Series(HISTORY, SeriesSource.OPTIMAL, channels)

    def _values(self, row: Evaluation) -> dict[str, float]:
        values = zip(self._names, row.values.tolist(), strict=True)
        return {name: value for name, value in values if not math.isnan(value)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
