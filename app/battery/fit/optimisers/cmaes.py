"""CMA-ES, by `cma` (Hansen et al.). No text of a configuration reaches it: it evaluates texts among its options."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from app.battery.fields import Field, Settings, flag, number, one_of, options, shown, whole
from app.battery.fit.search import MAX_EVALUATIONS, MAX_ITERATIONS, Array, Found, Optimiser, Search
from app.execution.executor import Fault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a plotting library, which nothing here uses
    import cma

SIGMA = 0.2
"""First step, as a share of the range between bounds."""


def run(settings: Settings, search: Search) -> Found:
    box = _Box(search)
    strategy = cma.CMAEvolutionStrategy(box.into(search.start), 1.0, _options(settings, search, box))
    stop = _Stop(settings, box.count)
    while not (reason := stop(strategy)):
        points = strategy.ask()
        costs = [search.scalar(box.out_of(point)) for point in points]
        strategy.tell(points, costs)
        stop.told(costs, strategy)
        search.iterated()
    best = box.out_of(strategy.result.xbest)
    limited = {"maxiter", "maxfevals", "max_iterations", "max_evaluations"}
    return Found(best, int(strategy.countiter), not limited & set(reason), f"stopped by {', '.join(reason)}")


class _Box:
    """Coordinates from 0 to 1 between bounds; as they are where a bound is missing. The method needs two: beside a
    lonely parameter stands one that nothing depends on."""

    def __init__(self, search: Search) -> None:
        bounded = np.isfinite(search.low) & np.isfinite(search.high)
        self._offset = np.where(bounded, search.low, 0.0)
        self._scale = np.where(bounded, search.high - search.low, 1.0)
        self.count = search.start.size
        self.low, self.high = self.into(search.low, 0.0), self.into(search.high, 1.0)

    def into(self, point: Array, idle: float = 0.5) -> Array:
        inside: Array = (point - self._offset) / self._scale
        return inside if self.count > 1 else np.append(inside, idle)

    def out_of(self, point: Array) -> Array:
        outside: Array = self._offset + self._scale * np.asarray(point)[: self.count]
        return outside


def _options(settings: Settings, search: Search, box: _Box) -> dict[str, Any]:
    sigma = np.broadcast_to(SIGMA if settings["sigma0"] is None else settings["sigma0"], box.count)
    chosen: dict[str, Any] = {
        "bounds": [box.low.tolist(), box.high.tolist()],
        "CMA_stds": np.resize(sigma, box.low.size).astype(float),
        "seed": search.seed + 1,  # zero would be taken for the time
        "verbose": -9,
        "verb_log": 0,
        "signals_filename": "",  # it would read options from a file of that name, wherever it runs
        "verb_disp": 0,
        "maxfevals": settings["max_evaluations"],
    }
    if settings["population_size"] is not None:
        chosen["popsize"] = settings["population_size"]
    if settings["max_iterations"] is not None:
        chosen["maxiter"] = settings["max_iterations"]
    if settings["threshold"] is not None:
        chosen["ftarget"] = settings["threshold"]
    extra = settings["algorithm_options"]
    return chosen | {name: value for name, value in extra.items() if value is not None}


class _Stop:
    """When to stop: by the criteria of `cma` itself, and by those of the public schema."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings, self._parameters = settings, count
        self._best, self._unchanged, self._converged = np.inf, 0, 0
        self._mean: Array | None = None
        self._reasons: list[str] = []

    def __call__(self, strategy: Any) -> list[str]:
        """Why to stop now, if at all."""
        if strategy.countiter < (self._settings["min_iterations"] or 0):
            return []
        return [*map(str, strategy.stop()), *self._reasons]

    def told(self, costs: list[float], strategy: Any) -> None:
        spread, found = np.asarray(costs), self._settings
        self._count(float(spread.min()))
        flat, patience = found["flat_fitness_tol"], found["convergence_patience"]
        mean = np.array(strategy.mean[: self._parameters])
        moved = np.inf if self._mean is None else float(np.abs(mean - self._mean).max())
        self._mean = mean
        narrow = float(np.max(strategy.stds[: self._parameters]))
        agreed = float(np.ptp(spread)) <= (found["population_convergence_tol"] or 0) * abs(float(spread.min()))
        narrowed = narrow <= (found["population_convergence_tol"] or 0)
        self._converged = self._converged + 1 if agreed and narrowed else 0
        criteria = {
            "max_unchanged_iterations": self._unchanged >= (found["max_unchanged_iterations"] or np.inf),
            "xtol": moved < (found["xtol"] or 0),
            "population_convergence_tol": self._converged >= (patience or 1),
            "flat_fitness_tol": flat is not None and np.mean(np.abs(spread - np.median(spread)) <= flat) >= 0.5,
        }
        self._reasons = [name for name, met in criteria.items() if met]

    def _count(self, best: float) -> None:
        """Generations since the best cost last fell by more than the tolerances."""
        found = self._settings
        absolute = found["max_unchanged_iterations_threshold"]
        absolute = found["absolute_tolerance"] if absolute is None else absolute
        enough = max(absolute or 0.0, (found["relative_tolerance"] or 0.0) * abs(self._best))
        if best < self._best - (enough if np.isfinite(self._best) else 0.0):
            self._best, self._unchanged = best, 0
        else:
            self._unchanged += 1


def check(settings: Settings, count: int) -> list[Fault]:
    sigma = settings["sigma0"]
    if isinstance(sigma, list) and len(sigma) != count:
        return [Fault(f"`sigma0` must hold one number for each of {count} parameters.", ("sigma0",))]
    return []


def _sigma(value: Any) -> str | None:
    if isinstance(value, list):
        problem = next(filter(None, map(number(above=0), value)), None)
        return problem or (None if 0 < len(value) <= 100 else f"must hold one number a parameter, not {shown(value)}")
    return number(above=0)(value)


TOLERANCE = number(0)
CMAES = Optimiser(
    {
        "log_to_screen": Field(one_of(False), False),
        "sigma0": Field(_sigma, None),
        "max_iterations": Field(whole(1, MAX_ITERATIONS), None),
        "max_unchanged_iterations": Field(whole(1, MAX_ITERATIONS), None),
        "max_unchanged_iterations_threshold": Field(TOLERANCE, None),
        "min_iterations": Field(whole(0, MAX_ITERATIONS), 1),
        "max_evaluations": Field(whole(1, MAX_EVALUATIONS), MAX_EVALUATIONS),
        "population_size": Field(whole(3, 1_000), None),
        "threshold": Field(number(), None),
        "absolute_tolerance": Field(TOLERANCE, 1e-5),
        "relative_tolerance": Field(TOLERANCE, 1e-2),
        "xtol": Field(TOLERANCE, 1e-6),
        "population_convergence_tol": Field(TOLERANCE, 5e-3),
        "flat_fitness_tol": Field(TOLERANCE, None),
        "convergence_patience": Field(whole(1, MAX_ITERATIONS), 3),
        "surrogate_convergence_tol": Field(one_of(1e-3), 1e-3),  # clients send it; it is of methods that model the cost
        "algorithm_options": options({"CMA_diagonal": Field(flag, None), "ftarget": Field(number(), None)}),
    },
    run,
    check,
)
