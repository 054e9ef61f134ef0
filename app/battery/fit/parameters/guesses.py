"""Starting points of searches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import qmc

from app.battery.checks.fields import Field, Path, is_number, one_of, settle, shown, whole
from app.battery.fit.parameters.free_parameters import FreeParameter
from app.execution.executor import Fault

MAX_STARTS = 100
SAMPLERS = ("LatinHypercube", "Uniform")
Guess = dict[str, float]


def guess_faults(config: Mapping[str, Any], free: Mapping[str, FreeParameter]) -> list[Fault]:
    """Return the problems of `multistarts`, `initial_guesses` and `initial_guess_sampler`."""
    starts, given, sampler = (config.get(name) for name in ("multistarts", "initial_guesses", "initial_guess_sampler"))
    faults = []
    if starts is not None and (problem := whole(1, MAX_STARTS)(starts)):
        faults.append(Fault(f"`multistarts` {problem}.", ("multistarts",)))
        starts = None
    if sampler is not None:
        faults += _sampler_faults(sampler)
    if not faults and (starts is None or given is not None):
        faults += _idle_faults(sampler, free)
    if given is None:
        return faults if starts is None else [*faults, *_range_faults(free)]
    if isinstance(given, list):
        if not 0 < len(given) <= MAX_STARTS or (starts is not None and starts != len(given)):
            message = f"The number of guesses must be the number of starts, 1 to {MAX_STARTS}, not {len(given)}."
            faults.append(Fault(message, ("initial_guesses",)))
        return faults + [fault for i, each in enumerate(given) for fault in _one_faults(each, free, (i,))]
    return faults + _one_faults(given, free, ())


def _idle_faults(sampler: Any, free: Mapping[str, FreeParameter]) -> list[Fault]:
    """Problems of a sampler of starting points that nothing uses."""
    message = "It draws starting points of `multistarts`: give that, and no `initial_guesses`."
    paths: list[Path] = [("initial_guess_sampler",)] if sampler is not None else []
    paths += [("parameters", name, "initial_guess_distribution") for name, each in free.items() if each.guess]
    return [Fault(message, path) for path in paths]


def _sampler_faults(sampler: Any) -> list[Fault]:
    if not isinstance(sampler, Mapping):
        return [Fault(f"A sampler must be an object, not {shown(sampler)}.", ("initial_guess_sampler",))]
    return settle({"type": Field(one_of(*SAMPLERS))}, sampler, ("initial_guess_sampler",))[1]


def _range_faults(free: Mapping[str, FreeParameter]) -> list[Fault]:
    message = "Starting points of {} need bounds on both sides, or a distribution to draw them from."
    return [
        Fault(message.format(name), ("parameters", name, "bounds"))
        for name, each in free.items()
        if not (each.bounded or each.guess)
    ]


def _one_faults(guess: Any, free: Mapping[str, FreeParameter], place: tuple[int, ...]) -> list[Fault]:
    path: Path = ("initial_guesses", *place)
    if not isinstance(guess, Mapping):
        return [Fault(f"A guess must be an object of numbers by parameter, not {shown(guess)}.", path)]
    faults = []
    for name, value in guess.items():
        if name not in free:
            faults.append(Fault(f"{shown(name)} is no free parameter of this fit.", (*path, name)))
        elif not is_number(value):
            faults.append(Fault(f"A finite number must be here, not {shown(value)}.", (*path, name)))
        elif not free[name].low <= value <= free[name].high:
            message = f"{value:g} is outside the bounds, {free[name].low:g} to {free[name].high:g}."
            faults.append(Fault(message, (*path, name)))
        elif problem := free[name].transform.problem(value, value):
            faults.append(Fault(f"A guess {problem} for this transform.", (*path, name)))
    return faults


def guesses(config: Mapping[str, Any], free: Mapping[str, FreeParameter], seed: int) -> list[Guess]:
    """Return one guess per search, with all free parameters: given, or drawn."""
    usual = {name: each.initial for name, each in free.items()}
    given, starts = config.get("initial_guesses"), config.get("multistarts")
    if isinstance(given, list):
        return [usual | {name: float(value) for name, value in each.items()} for each in given]
    if given is not None:
        return [usual | {name: float(value) for name, value in given.items()} for _ in range(starts or 1)]
    if starts is None:
        return [usual]
    sampler = (config.get("initial_guess_sampler") or {}).get("type", "LatinHypercube")
    return _drawn(free, starts, sampler, seed)


def _drawn(free: Mapping[str, FreeParameter], starts: int, sampler: str, seed: int) -> list[Guess]:
    """Draw guesses, uniformly in the search coordinate unless a parameter has a distribution of its own."""
    rng = np.random.default_rng(seed)
    if sampler == "LatinHypercube":
        unit = qmc.LatinHypercube(len(free), rng=rng).random(starts)
    else:
        unit = rng.random((starts, len(free)))
    return [{name: _at(each, float(q)) for (name, each), q in zip(free.items(), row, strict=True)} for row in unit]


def _at(free: FreeParameter, q: float) -> float:
    if free.guess is not None:
        return free.guess.quantile(q)
    low, high = free.transform.interval(free.low, free.high)
    value = free.transform.inverse(low + q * (high - low)) if math.isfinite(high - low) else free.initial
    return min(max(value, free.low), free.high)
