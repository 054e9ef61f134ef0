"""Derivatives for one run of an optimiser: of the residuals and of the cost, by finite differences with measured
noise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from app.battery.costs import Array
from app.battery.fit.problem import FitModel, FitProblem, Point
from app.battery.fit.search.convergence import Slopes
from app.battery.fit.search.differences import Differences, Noise, Output
from app.battery.fit.search.gradients import gradient, stacked

FRESH = 100.0
"""Factor of change of the cost after which the noise is measured again."""


class Derivatives:
    """Derivatives in search coordinates. A given `step` replaces the steps chosen from the noise."""

    def __init__(self, problem: FitProblem, model: FitModel, step: float | None) -> None:
        self._problem, self._model, self._step = problem, model, step
        self._noise: Noise | None = None
        self._of_errors: Differences | None = None

    def residuals(self, priors: bool) -> tuple[Callable[[Array], Array], Callable[[Array, bool], Array]]:
        """Return functions for the residuals, (n,), with or without those of priors, and for their Jacobian, (n, d)."""
        misfit = self._model.misfit
        differences: list[Differences] = []

        def of(point: Point) -> Array:
            if point.errors is None:
                return np.full(misfit.rows, math.sqrt(point.cost / misfit.rows))
            return misfit.residuals(point.errors, point.values, priors)

        def jacobian(place: Array, central: bool) -> Array:
            here = self._problem.at(place)
            differences[:] = differences or [self._differences(here, of)]
            return differences[0].jacobian(here, central)

        return lambda place: of(self._problem.at(place)), jacobian

    def gradient(self, place: Array) -> Array:
        """Gradient of the cost, (d,); 0 where the model has no solution."""
        here, misfit = self._problem.at(place), self._model.misfit
        if here.errors is None:
            return np.zeros(place.size)
        self._of_errors = self._of_errors or self._differences(here, lambda point: stacked(misfit, point))
        columns = [self._of_errors.column(here, index, True) for index in range(place.size)]
        return gradient(misfit, self._model.coordinates, here, columns)

    def slopes(self, best: Point) -> Slopes:
        """Return central slopes at the best point. The noise is measured unless it is known at a point of similar
        cost."""
        noise = self._noise
        if noise is None or not noise.points or abs(noise.here.cost) > FRESH * abs(best.cost):
            noise = Noise(self._problem, self._model.coordinates, best)
        return Slopes(self._model, self._problem, best, noise, self._step)

    def _differences(self, here: Point, output: Output) -> Differences:
        self._noise = self._noise or Noise(self._problem, self._model.coordinates, here)
        return Differences(self._problem, self._model.coordinates, output, self._noise, self._step)
