"""Restarts of a search from the point where it stopped, with new scales and steps, until it converges or stalls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.battery.costs import Array
from app.battery.fit.data_fit import DataFit
from app.battery.fit.problem import FitModel, FitProblem, Point, StopSearch
from app.battery.fit.search.convergence import ALIKE, PROBES, STAYS, Distance, Slopes, distance, likelier
from app.battery.fit.search.derivatives import Derivatives
from app.battery.fit.search.optimiser import Found, Residuals, Search

MAX_RESTARTS = 10
UNMOVED = 1e-3
"""Relative change of a parameter below which an optimiser hardly moved."""
AT_OPTIMUM = "The slopes show that the point is an optimum."


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on the point where a search stopped. `is_over`: a restart would not help."""

    is_converged: bool
    is_over: bool
    message: str = ""


CONVERGED = Verdict(True, True)


@dataclass
class Descent:
    """One search with its restarts: its end point, and the distance from there to the optimum if slopes are known."""

    fit: DataFit
    model: FitModel
    problem: FitProblem
    seed: int
    found: Found = field(init=False)
    restarts: int = 0
    slopes: Slopes | None = None
    distance: Distance | None = None

    @property
    def best(self) -> Any:
        """Best point evaluated; None if no point has a solution."""
        return self.problem.best

    def run(self, start: Array) -> None:
        """Search from one start until the search is over."""
        try:
            self._run(start)
        except StopSearch as limit:
            self.found = Found(start, self.problem.iterations, False, str(limit), is_limited=True)

    def _run(self, start: Array) -> None:
        iterations = evaluations = 0
        before: Point | None = None
        while True:
            derivatives = Derivatives(self.problem, self.model, self.fit.settings.get("diff_step"))
            found = self._searched(start, derivatives, iterations, evaluations)
            iterations, evaluations = iterations + found.iterations, evaluations + found.evaluations
            verdict = self._verdict(found, before, derivatives)
            message = f"{found.message} {verdict.message}".strip()
            self.found = Found(found.point, iterations, verdict.is_converged, message, evaluations, found.is_limited)
            if verdict.is_over or self.restarts == MAX_RESTARTS:
                return
            before, start = self.best, self.best.place
            self.restarts += 1

    def _searched(self, start: Array, derivatives: Derivatives, iterations: int, evaluations: int) -> Found:
        """Run the optimiser once from `start`; its coordinates are scaled to about 1 there."""
        coordinates, problem, misfit = self.model.coordinates, self.problem, self.model.misfit
        size = coordinates.sizes(start)

        def scaled(function: Callable[[Array], Any]) -> Callable[[Array], Any]:
            return lambda point: function(np.clip(point * size, coordinates.low, coordinates.high))

        def residuals(priors: bool) -> Residuals:
            at, jacobian = derivatives.residuals(priors)
            return Residuals(scaled(at), lambda point, central: scaled(lambda u: jacobian(u, central))(point) * size)

        search = Search(
            start / size,
            coordinates.low / size,
            coordinates.high / size,
            scaled(problem.scalar),
            lambda point: scaled(derivatives.gradient)(point) * size,
            residuals(priors=True),
            residuals(priors=False) if misfit.weighs else None,
            problem.iterated,
            (self.seed + self.restarts) % 2**32,
            self.restarts,
            evaluations,
            iterations,
        )
        return self.fit.optimiser.run(self.fit.settings, search)

    def _verdict(self, found: Found, before: Point | None, derivatives: Derivatives) -> Verdict:
        if not self.fit.optimiser.is_search:
            return Verdict(found.success, is_over=True)
        if (found.is_limited and not self.restarts) or self.best is None:
            return Verdict(False, is_over=True)
        self.slopes = slopes = derivatives.slopes(self.best)
        self.distance = distance(slopes)
        missing = len(slopes.by_term) < self.best.place.size
        if found.is_limited:  # a search that reached its limit is not restarted
            is_there = self.distance is not None and not self.distance.far and not missing
            return Verdict(is_there, True, AT_OPTIMUM if is_there else "")
        if self.distance is None or missing:
            return self._stays(found, before, missing)
        if flat := self._plateau(slopes, self.distance):
            return Verdict(
                False,
                True,
                f"The cost is flat there: it does not change with {', '.join(flat)}.",
            )
        if not self.distance.far:
            return CONVERGED if found.success else Verdict(True, True, AT_OPTIMUM)
        if not self._falls(slopes, self.distance):
            return Verdict(True, True, "No point along the Gauss-Newton step has a lower cost.")
        return Verdict(False, False, self._far(self.distance))

    def _plateau(self, slopes: Slopes, way: Distance) -> list[str]:
        """Return the parameters without effect on the errors, if that ended the search: it never left the start, or no
        parameter has an effect."""
        first, place = self.problem.first, slopes.point.place
        lengths = self.model.coordinates.lengths(slopes.point.values)
        moved = first is None or bool(np.any(np.abs(place - first.place) > UNMOVED * lengths))
        is_lost = not moved or len(way.flat) == place.size
        return [self.model.coordinates.names[index] for index in sorted(way.flat)] if is_lost else []

    def _stays(self, found: Found, before: Point | None, missing: bool) -> Verdict:
        """Judge a point without slopes, by the gain of the last restart."""
        if before is None or not self._alike(before, self.best):
            return Verdict(False, is_over=False, message="The cost was still falling after all restarts.")
        if missing:
            return Verdict(False, True, "The model has no solution next to the end point.")
        first = self.problem.first
        if first is not None and self._alike(first, self.best):
            return Verdict(False, True, "The search never left its start.")
        return Verdict(found.success, True)

    def _alike(self, before: Point, after: Point) -> bool:
        """Return whether two points have the same likelihood, or are equal except for rounding."""
        if before.errors is None:
            return False
        lengths = self.model.coordinates.lengths(after.values)
        same = bool(np.all(np.abs(after.place - before.place) <= ALIKE * lengths))
        return same or likelier(self.model.misfit, before.cost, after.cost) <= STAYS

    def _falls(self, slopes: Slopes, way: Distance) -> bool:
        """Return whether the cost falls towards the optimum. If it does, the best point of the problem moves there."""
        enough = STAYS * slopes.slack**2
        for share in PROBES:
            probe = self.problem.at(slopes.point.place + share * way.step)
            if probe.errors is not None and likelier(self.model.misfit, slopes.point.cost, probe.cost) > enough:
                return True
        return False

    @staticmethod
    def _far(way: Distance) -> str:
        name, errors = max(way.far.items(), key=lambda each: each[1])
        return f"After all restarts the optimum was still {errors:.2g} standard errors away in {name}."
