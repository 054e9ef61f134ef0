"""CMA-ES, by `cma` (Hansen et al.). No text of a configuration reaches it, because it evaluates texts among its
options."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from app.battery.checks.fields import Field, Settings, flag, number, one_of, options, shown, whole
from app.battery.fit.search.optimiser import MAX_EVALUATIONS, MAX_ITERATIONS, Array, Found, Optimiser, Search
from app.execution.executor import Fault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns about a missing plotting library, which is not used
    import cma

TOLERANCES = ("absolute_tolerance", "relative_tolerance", "xtol", "population_convergence_tol", "flat_fitness_tol")
"""Tolerances that restarts tighten."""
SURROGATE = 1e-3
"""Default of a tolerance that belongs to another method."""
SIGMA = 0.2
"""Initial step, relative to the range between bounds."""


def run(settings: Settings, search: Search) -> Found:
    if any(most is not None and most <= used for most, used in _limits(settings, search).values()):
        return Found(search.start, 0, False, "stopped by its limits", is_limited=True)
    box = _Box(search)
    strategy = cma.CMAEvolutionStrategy(box.into(search.start), 1.0, _options(settings, search, box))
    stop = _Stop(settings, search, box.count)
    while not (reason := stop(strategy)):
        points = strategy.ask()
        costs = [search.scalar(box.out_of(point)) for point in points]
        strategy.tell(points, costs)
        stop.told(costs, strategy)
        search.iterated()
    best = box.out_of(strategy.result.xbest)
    limited = bool({"maxiter", "maxfevals", "max_iterations", "max_evaluations"} & set(reason))
    message = f"stopped by {', '.join(reason)}"
    return Found(best, int(strategy.countiter), not limited, message, int(strategy.countevals), limited)


def _limits(settings: Settings, search: Search) -> dict[str, tuple[int | None, int]]:
    """Return the limits of `cma`, each with the budget used before a restart."""
    return {
        "maxfevals": (settings["max_evaluations"], search.evaluations),
        "maxiter": (settings["max_iterations"], search.iterations),
    }


class _Box:
    """Coordinates from 0 to 1 between bounds; unscaled without bounds. The method needs two dimensions: a single
    parameter is accompanied by a dummy one."""

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
        "CMA_stds": search.narrowed(1.0) * np.resize(sigma, box.low.size).astype(float),
        "seed": search.seed + 1,  # zero would seed from the clock
        "verbose": -9,
        "verb_log": 0,
        "signals_filename": "",  # it would read options from a file of that name in the current folder
        "verb_disp": 0,
    }
    if settings["population_size"] is not None:
        chosen["popsize"] = settings["population_size"]
    chosen |= {name: most - used for name, (most, used) in _limits(settings, search).items() if most is not None}
    if settings["threshold"] is not None:
        chosen["ftarget"] = settings["threshold"]
    extra = settings["algorithm_options"]
    return chosen | {name: value for name, value in extra.items() if value is not None}


class _Stop:
    """Termination criteria: those of `cma`, and those of the public schema."""

    def __init__(self, settings: Settings, search: Search, count: int) -> None:
        narrowed = {name: search.narrowed(settings[name]) for name in TOLERANCES if settings[name] is not None}
        self._settings, self._parameters = settings | narrowed, count
        self._best, self._unchanged, self._converged = np.inf, 0, 0
        self._mean: Array | None = None
        self._reasons: list[str] = []

    def __call__(self, strategy: Any) -> list[str]:
        """Return the reasons to stop, if any."""
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
        """Count the generations since the best cost fell by more than the tolerances."""
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


def _surrogate(value: Any) -> str | None:
    """Accept the default only, which the official client always writes."""
    if value is None or value == SURROGATE:
        return None
    return "is of methods that model the cost, and has no effect on CMA-ES: leave it out"


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
        "surrogate_convergence_tol": Field(_surrogate, SURROGATE),
        "algorithm_options": options({"CMA_diagonal": Field(flag, None), "ftarget": Field(number(), None)}),
    },
    run,
    check,
)
