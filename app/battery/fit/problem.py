"""Optimisation problem of one search: evaluates points, stores the best, counts failures, reports progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import pybamm

from app.battery.checked_element import Report
from app.battery.costs import Array
from app.battery.fit.history import History
from app.battery.fit.misfit import Misfit, Outputs
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.parameters.links import Follow
from app.battery.objectives.objective import Simulate
from app.execution.executor import Progress

HOPELESS = 200
"""Number of points without a solution after which a search stops, if no point has one."""
INTERVAL = 0.25
"""Seconds between two progress reports."""
PENALTY = 100.0
"""Cost of a point without a solution, as a multiple of the highest cost so far."""
UNSOLVED = 1e6
"""Cost of a point without a solution before any other was evaluated, and the size of its residuals."""


@dataclass(slots=True)
class Point:
    """An evaluated point: physical values of parameters and links, and its errors; None if there is no solution."""

    place: Array
    values: dict[str, float]
    cost: float
    errors: list[Array] | None = None
    outputs: Outputs = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class FitModel:
    """The part of a problem that is common to all searches."""

    coordinates: Coordinates
    misfit: Misfit
    simulators: Mapping[str, Simulate]
    follow: Follow
    normalised: Callable[[Mapping[str, float]], dict[str, float]]
    """Converts values to the models' normalised form, for reports."""


@dataclass(slots=True)
class FitTally:
    """Counters over all searches of a fit."""

    report: Report
    normalised: Callable[[Mapping[str, float]], dict[str, float]]
    history: History
    start: int = 0
    """Number of the running search, from 0."""
    evaluations: int = 0
    failed: int = 0
    best: float = math.inf
    trouble: str = ""
    """The solver's last message about a missing solution."""
    _told: float = field(default=-math.inf, init=False)

    def count(self, point: Point) -> None:
        """Count an evaluated point, and report progress if it is due."""
        self.evaluations += 1
        if point.errors is None:
            self.failed += 1
            self.trouble = point.trouble or self.trouble
        elif point.cost < self.best:
            self.best = point.cost
        self.history.add(self.evaluations, self.start, _cost(point), point.values)
        if (now := monotonic()) - self._told >= INTERVAL:
            self._told = now
            self.tell(point)

    def tell(self, point: Point) -> None:
        best = self.best if math.isfinite(self.best) else None
        self.report(Progress(self.evaluations, _cost(point), best, self.normalised(point.values)))


def _cost(point: Point) -> float | None:
    """Return the cost of a point; None if it has no solution."""
    return point.cost if point.errors is not None else None


class StopSearch(Exception):
    """Ends a search that reached a limit; the message names the limit."""


class FitProblem:
    """The problem of one search."""

    def __init__(
        self, model: FitModel, tally: FitTally, deadline: float = math.inf, iterations: int | None = None
    ) -> None:
        self._model, self._tally, self._deadline = model, tally, deadline
        self._most = math.inf if iterations is None else iterations
        self.first: Point | None = None
        self.best: Point | None = None
        self._worst = 0.0
        self._last: Point | None = None
        self.evaluations = self.failed = self.iterations = 0

    def at(self, place: Array) -> Point:
        """Evaluate a point."""
        last = self._last
        if last is not None and last.place.tobytes() == place.tobytes():  # a tenth of what array_equal takes
            return last
        if self.evaluations and monotonic() > self._deadline:
            raise StopSearch("maxtime is reached")
        if self.failed == self.evaluations >= HOPELESS:
            raise StopSearch("no point has a solution")
        point = self._evaluated(np.array(place))
        self.first = self.first or point
        self.evaluations += 1
        self.failed += point.errors is None
        if point.errors is not None:
            self._worst = max(self._worst, abs(point.cost))
            if self.best is None or point.cost < self.best.cost:
                self.best = point
        self._tally.count(point)
        self._last = point
        return point

    def _evaluated(self, place: Array) -> Point:
        model = self._model
        values = model.coordinates.values(place)
        try:
            values |= model.follow(values)
            outputs = {name: simulate(values) for name, simulate in model.simulators.items()}
            errors = model.misfit.errors(outputs, values)
            cost = model.misfit.value(errors, values)
        except (pybamm.SolverError, ArithmeticError) as error:
            return Point(place, values, self._penalty(), trouble=str(error))
        if not math.isfinite(cost):
            return Point(place, values, self._penalty(), trouble="the model is not finite")
        return Point(place, values, cost, errors, outputs)

    def _penalty(self) -> float:
        return PENALTY * self._worst or UNSOLVED

    def iterated(self) -> None:
        """Count an iteration. Raises Enough if the limit of iterations is reached."""
        self.iterations += 1
        if self.iterations >= self._most:
            raise StopSearch("max_iterations is reached")

    def scalar(self, place: Array) -> float:
        return self.at(place).cost
