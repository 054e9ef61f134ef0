"""Registry of the public schema's optimisers: their fields, or the reason for refusing them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.battery.checks.fields import Field, Path, Settings, one_of, settle, shown, suggestion
from app.battery.fit.optimisers.cmaes import CMAES
from app.battery.fit.optimisers.scipy_evolution import EVOLUTION
from app.battery.fit.optimisers.scipy_least_squares import LEAST_SQUARES
from app.battery.fit.optimisers.scipy_minimize import MINIMIZE
from app.battery.fit.parameters.free_parameters import FreeParameter
from app.battery.fit.search.optimiser import Found, Optimiser, Search
from app.execution.executor import Fault


def _stay(settings: Settings, search: Search) -> Found:
    search.scalar(search.start)
    return Found(search.start, 0, True, "the initial guess, unchanged")


STAY = Optimiser({}, _stay, is_search=False)
ASK_TELL_METHODS = ("CMAES",)
OPTIMISERS: dict[str, Optimiser] = {
    "AskTellOptimizer": Optimiser(
        {"method": Field(one_of(*ASK_TELL_METHODS), "CMAES"), **CMAES.fields}, CMAES.run, CMAES.check
    ),
    "CMAES": CMAES,
    "Dummy": STAY,
    "DummyOptimizer": STAY,
    "PointEstimate": STAY,
    "PointEstimateOptimizer": STAY,
    "ScipyDifferentialEvolution": EVOLUTION,
    "ScipyLeastSquares": LEAST_SQUARES,
    "ScipyMinimize": MINIMIZE,
}
DEFAULT = "ScipyMinimize"
SAMPLES = "samples of a posterior are not supported yet"
SURROGATE = "methods that model the cost are not supported yet"
REFUSED_OPTIMISERS: dict[str, str] = {
    "BayesianOptimization": SURROGATE,
    "DifferentialEvolution": "it adapts in ways that are not public; name ScipyDifferentialEvolution",
    "DummySampler": SAMPLES,
    "GridSearch": SAMPLES,
    "Nested": "fits within fits are not supported yet",
    "PSO": "particle swarms are not supported yet; name CMAES",
    "Pints": "it is an older name; name AskTellOptimizer or CMAES",
    "PintsSampler": SAMPLES,
    "PointEstimateSampler": SAMPLES,
    "SOBER": SURROGATE,
    "ScipyBasinhopping": "name ScipyMinimize with `multistarts`",
    "ScipyDualAnnealing": "name ScipyDifferentialEvolution or CMAES",
    "ScipyLsqLinear": "name ScipyLeastSquares",
    "ScipyShgo": "name ScipyDifferentialEvolution or CMAES",
    "TuRBO": SURROGATE,
    "XNES": "name CMAES",
}
"""Reasons for refusing the other optimisers of the public schema: none is replaced by another."""


def parse_optimiser(
    config: Any, path: Path, free: Mapping[str, FreeParameter]
) -> tuple[Optimiser, Settings, list[Fault]]:
    """Check an optimiser. Return it, its settings with its `type`, and every problem."""
    given = {"type": DEFAULT} if config is None else config
    if not isinstance(given, Mapping):
        return STAY, {}, [Fault(f"An optimiser must be an object with a `type`, not {shown(config)}.", path)]
    kind, at = given.get("type"), (*path, "type")
    if isinstance(kind, str) and kind in REFUSED_OPTIMISERS:
        return STAY, {}, [Fault(f"{kind} is not supported: {REFUSED_OPTIMISERS[kind]}.", at)]
    if not isinstance(kind, str) or kind not in OPTIMISERS:
        meant = suggestion(kind, [*OPTIMISERS, *REFUSED_OPTIMISERS])
        return STAY, {}, [Fault(f"Unknown optimiser {shown(kind)}{meant}; known are {', '.join(OPTIMISERS)}.", at)]
    optimiser = OPTIMISERS[kind]
    settings, faults = settle(optimiser.fields, {name: v for name, v in given.items() if name != "type"}, path)
    if not faults:
        faults += [Fault(each.message, (*path, *each.path)) for each in optimiser.check(settings, len(free))]
        faults += _bound_faults(kind, optimiser, settings, free)
    return optimiser, {"type": kind} | settings, faults


def _bound_faults(
    kind: str, optimiser: Optimiser, settings: Settings, free: Mapping[str, FreeParameter]
) -> list[Fault]:
    faults = []
    for name, each in free.items():
        path = ("parameters", name, "bounds")
        if optimiser.needs_bounds(settings) and not each.bounded:
            faults.append(Fault(f"{kind} needs a lower and an upper bound of {name}.", path))
        if not optimiser.takes_bounds(settings) and (math.isfinite(each.low) or math.isfinite(each.high)):
            message = (
                f"The method {settings['method']} of {kind} keeps no bounds. Name another, or leave the bounds out."
            )
            faults.append(Fault(message, path))
    return faults
