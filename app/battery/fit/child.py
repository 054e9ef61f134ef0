"""Result of one search of a multistart fit: best point in normalised form, and standard errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.battery.fit.history import History
from app.battery.fit.parameters.guesses import Guess
from app.battery.fit.problem import FitModel, FitProblem, FitTally, Point
from app.battery.fit.search.convergence import STAYS, likelier
from app.battery.fit.search.derivatives import Derivatives
from app.battery.fit.search.restarts import Descent
from app.battery.fit.uncertainty import SILENT, Uncertainty, at_bounds, uncertainty


class Child:
    """Search from one start."""

    def __init__(self, model: FitModel, guess: Guess, descent: Descent, job: int) -> None:
        problem = descent.problem
        self.guess, self.first, self.descent, self._model = guess, problem.first, descent, model
        self.best: Point | None = None if problem.best is None else _scaled(model, problem.best)
        self.values = {} if self.best is None else model.normalised(self.best.values)
        cost = None if self.best is None else self.best.cost
        self.cost = math.inf if cost is None else cost
        self.evaluations, self.failed = problem.evaluations, problem.failed
        found, first = descent.found, problem.first
        self.fields: dict[str, Any] = {
            "cost": cost,
            "x": None if self.best is None else self.best.place.tolist(),
            "fun": cost,
            "initial_cost": first.cost if first is not None and first.errors is not None else None,
            "success": found.success and self.best is not None,
            "message": found.message,
            "evaluations": problem.evaluations,
            "failed_evaluations": problem.failed,
            "iterations": found.iterations,
            "restarts": descent.restarts,
            "initial_guess": guess,
            "job_id": job,
        }

    @property
    def result(self) -> dict[str, Any]:
        return {"type": "OptimizationResult", "parameter_values": self.values, **self.fields}

    def uncertainty(self) -> Uncertainty:
        """Compute the uncertainty from the slopes that decided on convergence. Computes new slopes if those belong to a
        worse point; their evaluations count towards no limit."""
        model, slopes, best = self._model, self.descent.slopes, self.best
        if best is None or model.misfit.cost.kind in SILENT:
            return uncertainty(model, best, {}) if best is not None else Uncertainty()
        if (
            slopes is None
            or likelier(model.misfit, slopes.point.cost, best.cost) > STAYS
            or self._is_held(slopes.point)
        ):
            problem = FitProblem(model, FitTally(lambda progress: None, dict, History(())))
            slopes = Derivatives(problem, model, self.descent.fit.settings.get("diff_step")).slopes(best)
        return uncertainty(model, slopes.point, slopes.by_term, slopes.drowned)

    def _is_held(self, point: Point) -> bool:
        """Return whether other parameters are at bounds at a point than at the best one."""
        coordinates, best = self._model.coordinates, self.best
        return best is None or at_bounds(coordinates, point.place) != at_bounds(coordinates, best.place)


def _scaled(model: FitModel, best: Point) -> Point:
    """Return the best point with normalised values (fractions that add up to 1), if the bounds allow. Costs and errors
    of the two points are equal."""
    coordinates = model.coordinates
    values = best.values | model.normalised(best.values)
    if all(math.isclose(values[name], best.values[name], rel_tol=1e-12) for name in coordinates.names):
        return best
    place = coordinates.unbounded(values)
    linked = model.follow(values)
    if not all(math.isclose(linked[name], values[name], rel_tol=1e-12) for name in linked):
        return best
    if not np.all((coordinates.low <= place) & (place <= coordinates.high)):
        return best
    return Point(place, values, best.cost, best.errors, best.outputs)
