"""scipy.optimize.differential_evolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from app.battery.checks.fields import Field, Settings, flag, is_number, number, one_of, shown, whole
from app.battery.fit.search.optimiser import Found, Optimiser, Search

STRATEGIES = [
    f"{way}{many}{cross}"
    for way, many in [
        ("best", 1),
        ("rand", 1),
        ("randtobest", 1),
        ("currenttobest", 1),
        ("best", 2),
        ("rand", 2),
    ]
    for cross in ("bin", "exp")
]


def run(settings: Settings, search: Search) -> Found:
    def callback(intermediate_result: Any) -> None:
        search.iterated()

    most = settings["max_iterations"] - search.iterations
    if most < 1:
        return Found(search.start, 0, False, "Maximum number of iterations has been exceeded.", is_limited=True)
    mutation = settings["mutation"]
    answer = optimize.differential_evolution(
        search.scalar,
        _ranges(search),
        x0=search.start if search.restart else None,
        strategy=settings["strategy"],
        maxiter=most,
        popsize=settings["population_size"],
        tol=search.narrowed(settings["tol"]),
        atol=settings["atol"],
        mutation=tuple(mutation) if isinstance(mutation, list) else mutation,
        recombination=settings["recombination"],
        rng=search.seed if settings["seed"] is None else settings["seed"],
        polish=settings["polish"],
        init=settings["init"],
        updating=settings["updating"],
        callback=callback,
    )
    limited = not answer.success and answer.nit >= most
    return Found(answer.x, int(answer.nit), bool(answer.success), str(answer.message), int(answer.nfev), limited)


def _ranges(search: Search) -> list[tuple[float, float]]:
    """Return the bounds; at a restart, a narrower range around the start."""
    reach = search.narrowed(1.0) * (search.high - search.low) / 2
    if not search.restart:
        return list(zip(search.low, search.high, strict=True))
    return list(
        zip(np.maximum(search.start - reach, search.low), np.minimum(search.start + reach, search.high), strict=True)
    )


def _mutation(value: Any) -> str | None:
    if isinstance(value, list):
        fits = len(value) == 2 and all(map(is_number, value)) and 0 <= value[0] <= value[1] < 2
        return None if fits else f"must be two rising numbers from 0 to below 2, not {shown(value)}"
    return number(0, 1.999)(value)


EVOLUTION = Optimiser(
    {
        "workers": Field(one_of(1), 1),
        "max_iterations": Field(whole(1, 10_000), 1_000),
        "population_size": Field(whole(1, 100), 15),
        "strategy": Field(one_of(*STRATEGIES), "best1bin"),
        "mutation": Field(_mutation, [0.5, 1.0]),
        "recombination": Field(number(0, 1), 0.7),
        "seed": Field(whole(0, 2**32 - 1), None),
        "tol": Field(number(0), 0.01),
        "atol": Field(number(0), 0.0),
        "polish": Field(flag, False),
        "init": Field(one_of("latinhypercube", "sobol", "halton", "random"), "latinhypercube"),
        "updating": Field(one_of("immediate", "deferred"), "immediate"),
        "disp": Field(one_of(False), False),
    },
    run,
    needs_bounds=lambda settings: True,
)
