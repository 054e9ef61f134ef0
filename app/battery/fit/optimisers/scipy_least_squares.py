"""scipy.optimize.least_squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from app.battery.checks.fields import Field, Settings, number, one_of, whole
from app.battery.fit.search.optimiser import MAX_EVALUATIONS, Array, Found, Optimiser, Residuals, Search

TOLERANCE = Field(number(0, 1), 1e-10)
EPSILON = float(np.finfo(float).eps)
ROUGH = 1e-2
"""Relative change of the cost at which the fit to the data is good enough to weigh priors."""
EXACT = 1e-8
"""Residuals relative to those at the start below which only rounding is left. Tolerances relative to the residuals
themselves are never met there."""
LIMITED = "The maximum number of function evaluations is exceeded."


def run(settings: Settings, search: Search) -> Found:
    """Run the search. If the noise decides the weight of priors, the data are fitted alone first: far from them all
    error looks like noise, and the priors would hold the search back."""
    start, most = search.start, settings["max_nfev"] or 100 * search.start.size
    used, steps, begun = search.evaluations, 0, None
    if search.of_data is not None and not search.restart:
        first = _solved(settings | {"ftol": max(settings["ftol"], ROUGH)}, search, search.of_data, start, most - 1)
        start, used, steps, begun = first.x, int(first.nfev), int(first.njev or 0), first.size
    if used >= most:
        return Found(start, steps, False, LIMITED, used - search.evaluations, is_limited=True)
    answer = _solved(settings, search, search.residuals, start, most - used)
    steps += int(answer.njev or 0)
    used += int(answer.nfev) - search.evaluations
    if not answer.success and np.linalg.norm(answer.fun) * answer.size <= EXACT * (begun or answer.size):
        return Found(answer.x, steps, True, "The residuals are zero except for rounding.", used)
    return Found(answer.x, steps, bool(answer.success), str(answer.message), used, is_limited=answer.status == 0)


def _solved(settings: Settings, search: Search, residuals: Residuals, start: Array, most: int) -> Any:
    central = settings["jac"] == "3-point"
    begun = [False]

    def jacobian(point: Array) -> Array:
        if begun[0]:
            search.iterated()
        begun[0] = True
        slopes: Array = residuals.jacobian(point, central) / size
        return slopes

    keeps_bounds = settings["method"] != "lm"
    start = _inside(search, start) if keeps_bounds else start
    size = float(np.linalg.norm(residuals.at(start))) or 1.0  # tolerances are relative to it, in any units
    answer = optimize.least_squares(
        lambda point: residuals.at(point) / size,
        start,
        jac=jacobian,
        method=settings["method"],
        max_nfev=max(most, 1),
        x_scale=settings["x_scale"],
        **{name: max(settings[name], EPSILON) for name in ("ftol", "xtol", "gtol")},
        **({"bounds": (search.low, search.high)} if keeps_bounds else {}),
    )
    answer.size = size
    return answer


def _inside(search: Search, start: Array) -> Array:
    """Return the start, moved off the bounds: the method needs it strictly between them."""
    hair = 1e-10 * np.minimum(search.high - search.low, 1.0)
    inside: Array = np.clip(start, search.low + hair, search.high - hair)
    return inside


LEAST_SQUARES = Optimiser(
    {
        "method": Field(one_of("trf", "dogbox", "lm"), "trf"),
        "ftol": TOLERANCE,
        "xtol": TOLERANCE,
        "gtol": TOLERANCE,
        "max_nfev": Field(whole(1, MAX_EVALUATIONS), None),
        "x_scale": Field(one_of("jac", 1.0, 1), "jac"),
        "jac": Field(one_of("2-point", "3-point"), "2-point"),
        "diff_step": Field(number(1e-10, 0.1), None),
        "loss": Field(one_of("linear"), "linear"),
        "verbose": Field(one_of(0), 0),
    },
    run,
    residuals=True,
    takes_bounds=lambda settings: settings["method"] != "lm",
)
