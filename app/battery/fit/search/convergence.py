"""Convergence test of a search: distance from the best point to the optimum, in standard errors.

Slopes of the errors at the best point give the Gauss-Newton step to the optimum. The search has converged if that step
is a small share of each standard error or of the parameter itself, or if no point along the step has a lower cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from app.battery.costs import Array
from app.battery.fit.misfit import ADDED, EXPONENTS, Misfit
from app.battery.fit.problem import FitModel, FitProblem, Point
from app.battery.fit.search.differences import SIGNIFICANT, Differences, Noise
from app.battery.fit.search.gradients import gradient, split, stacked
from app.battery.fit.uncertainty import Estimate, estimate, invert, sides

CLOSE = 0.1
"""Distance from the optimum in standard errors at which a search has converged."""
ALIKE = 1e-6
"""Share of a parameter's size below which a step counts as zero."""
RESOLVED = 1e-5
"""Lower limit of the integration error, as a share of the data's size."""
STAYS = CLOSE**2 / 2
"""Increase of the log likelihood over that distance. A restart that gains less has made no progress."""
PROBES = (1.0, 0.3, 0.1)
"""Shares of the step to the optimum at which the cost is probed."""


def likelier(misfit: Misfit, before: float, after: float) -> float:
    """Return the increase of the log likelihood between two costs."""
    kind = misfit.cost.kind
    if kind in ADDED:
        return (before - after) / (2 * ADDED[kind])
    if min(before, after) <= 0:
        return math.inf if after < before else 0.0
    return misfit.size / (2 * EXPONENTS[kind]) * math.log(before / after)


@dataclass
class Slopes:
    """Central slopes of the errors at the best point of a search."""

    model: FitModel
    problem: FitProblem
    point: Point
    noise: Noise
    step: float | None
    _differences: Differences = field(init=False)

    def __post_init__(self) -> None:
        misfit = self.model.misfit
        self._differences = Differences(
            self.problem, self.model.coordinates, lambda point: stacked(misfit, point), self.noise, self.step
        )

    @cached_property
    def columns(self) -> list[Array | None]:
        """Slopes of the stacked errors by coordinate; None if the model has no solution on either side."""
        return [self._differences.column(self.point, index, True) for index in range(self.point.place.size)]

    @cached_property
    def by_term(self) -> dict[int, list[Array]]:
        """Slopes of the errors of each term, by coordinate."""
        misfit = self.model.misfit
        return {index: split(misfit, column) for index, column in enumerate(self.columns) if column is not None}

    @cached_property
    def drowned(self) -> set[int]:
        """Coordinates whose slopes are below the noise, even over the largest step."""
        noise, lengths = self._differences.noise, self.model.coordinates.lengths(self.point.values)
        if not noise:
            return set()
        changes = [
            math.inf if column is None else float(np.linalg.norm(column)) * 2 * self._differences.share(index) * length
            for index, (column, length) in enumerate(zip(self.columns, lengths.tolist(), strict=True))
        ]
        return {index for index, change in enumerate(changes) if change < SIGNIFICANT * noise}

    @cached_property
    def slack(self) -> float:
        """Factor by which noise, or the integration error, increases the tolerated distance."""
        square = float(np.square(stacked(self.model.misfit, self.point)).sum())
        return math.sqrt(1 + self.noise_cost / CLOSE**2 / square) if square else math.inf

    @property
    def noise_cost(self) -> float:
        """Sum of squared errors that noise or integration error alone cause."""
        resolved = RESOLVED * math.sqrt(self.model.misfit.square(self.point.values))
        return max(self._differences.noise or 0.0, resolved) ** 2

    @cached_property
    def gradient(self) -> Array:
        """Gradient of the minimised cost in search coordinates, (d,)."""
        return gradient(self.model.misfit, self.model.coordinates, self.point, self.columns)


@dataclass(frozen=True, slots=True)
class Distance:
    """Step from a point to the optimum, (d,). `far` holds the distance in standard errors of each parameter that is too
    far away to have converged; `flat` holds the coordinates that the data do not determine."""

    step: Array
    far: dict[str, float]
    flat: set[int] = field(default_factory=set)


def distance(slopes: Slopes) -> Distance | None:
    """Return the distance to the optimum; None if no standard errors can be computed for the cost or the data."""
    model, best = slopes.model, slopes.point
    misfit, coordinates = model.misfit, model.coordinates
    if misfit.cost.kind not in ADDED and best.cost <= 0:
        return Distance(np.zeros(best.place.size), {})
    rise = slopes.gradient / _scale(misfit, best.cost)
    leads_out = sides(coordinates, best.place) * rise < 0
    inner = [index for index in slopes.by_term if index not in slopes.drowned and not leads_out[index]]
    found = estimate(misfit, coordinates, best, {index: slopes.by_term[index] for index in inner})
    if found is None:
        return None if inner else Distance(np.zeros(best.place.size), {}, slopes.drowned)
    step = np.zeros(best.place.size)
    room = (coordinates.low - best.place)[inner], (coordinates.high - best.place)[inner]
    step[inner] = _step(found, rise[inner], *room)
    allowed = np.maximum(CLOSE * slopes.slack * found.spread, ALIKE * coordinates.lengths(best.values)[inner])
    spread = np.maximum(found.spread, np.finfo(float).tiny)
    far = {
        coordinates.names[index]: abs(float(step[index])) / float(spread[row])
        for row, index in enumerate(inner)
        if abs(step[index]) > allowed[row]
    }
    wide = found.spread > (coordinates.high - coordinates.low)[inner]
    blank = (np.diag(found.information) == 0) | wide
    return Distance(step, far, slopes.drowned | {index for index, each in zip(inner, blank, strict=True) if each})


def _scale(misfit: Misfit, cost: float) -> float:
    """Return the divisor that turns the gradient of a cost into that of minus the log likelihood."""
    kind = misfit.cost.kind
    return 2 * ADDED[kind] if kind in ADDED else 2 * EXPONENTS[kind] * cost / misfit.size


def _step(found: Estimate, rise: Array, low: Array, high: Array) -> Array:
    """Return the Newton step, (m,), within the bounds: a parameter that reaches a bound stays there, and the others are
    solved again."""
    step = np.zeros(rise.size)
    free: Array = np.ones(rise.size, bool)
    while free.any():
        inverse = found.inverse if free.all() else invert(found.information[np.ix_(free, free)])[0]
        step[free] = -inverse @ (rise[free] + found.information[np.ix_(free, ~free)] @ step[~free])
        beyond = free & ((step < low) | (step > high))
        if not beyond.any():
            break
        step[beyond] = np.clip(step, low, high)[beyond]
        free &= ~beyond
    return step
