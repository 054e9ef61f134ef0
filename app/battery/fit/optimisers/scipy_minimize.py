"""scipy.optimize.minimize."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from app.battery.fields import Field, Settings, flag, number, one_of, shown, whole
from app.battery.fit.search import MAX_EVALUATIONS, MAX_ITERATIONS, Array, Found, Optimiser, Search
from app.execution.executor import Fault

STEP = 1e-4
"""Of the central differences that a gradient is made of, in search coordinates."""
COUNT, TOLERANCE = whole(1, MAX_EVALUATIONS), number(0)
SIMPLEX = {"xatol": TOLERANCE, "fatol": TOLERANCE, "maxfev": COUNT, "adaptive": flag}
METHODS: dict[str, dict[str, Any]] = {
    "Nelder-Mead": SIMPLEX,
    "Powell": {"xtol": TOLERANCE, "ftol": TOLERANCE, "maxfev": COUNT},
    "CG": {"gtol": TOLERANCE},
    "BFGS": {"gtol": TOLERANCE, "xrtol": TOLERANCE},
    "L-BFGS-B": {
        "ftol": TOLERANCE,
        "gtol": TOLERANCE,
        "maxfun": COUNT,
        "maxcor": whole(1, 100),
        "maxls": whole(1, 100),
    },
    "TNC": {"ftol": TOLERANCE, "gtol": TOLERANCE, "xtol": TOLERANCE, "maxfun": COUNT},
    "COBYLA": {"rhobeg": number(above=0)},
    "COBYQA": {"maxfev": COUNT, "initial_tr_radius": number(above=0), "final_tr_radius": number(above=0)},
    "SLSQP": {"ftol": TOLERANCE},
    "trust-constr": {"xtol": TOLERANCE, "gtol": TOLERANCE, "initial_tr_radius": number(above=0)},
}
"""The options of each method that may be given."""
NO_GRADIENT = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
NO_BOUNDS = ("CG", "BFGS")
REFUSED_METHODS = ("Newton-CG", "dogleg", "trust-exact", "trust-krylov", "trust-ncg")


def run(settings: Settings, search: Search) -> Found:
    method, step = settings["method"], settings["diff_step"]
    options = dict(settings["options"] or {})
    if settings["max_iterations"] is not None:
        options["maxfun" if method == "TNC" else "maxiter"] = settings["max_iterations"]
    extra: dict[str, Any] = {}
    size = _size(search)
    if method not in NO_GRADIENT:
        extra["jac"] = lambda point: search.gradient(point, step, True) / size
    if method not in NO_BOUNDS:
        extra["bounds"] = optimize.Bounds(search.low, search.high)
    rounds = [0]

    def scalar(point: Array) -> float:
        return search.scalar(point) / size

    def callback(*_: Any) -> None:
        rounds[0] += 1
        search.iterated()

    answer = optimize.minimize(
        scalar, search.start, method=method, tol=settings["tol"], options=options, callback=callback, **extra
    )
    return Found(
        np.atleast_1d(answer.x), int(getattr(answer, "nit", rounds[0])), bool(answer.success), str(answer.message)
    )


def _size(search: Search) -> float:
    """The cost at the start: tolerances are relative to it, whatever the units and the normalisation."""
    return abs(search.scalar(search.start)) or 1.0


def check(settings: Settings, count: int) -> list[Fault]:
    known = METHODS[settings["method"]]
    faults = []
    for name, value in (settings["options"] or {}).items():
        if name == "maxiter":
            faults.append(Fault("Give `max_iterations` instead.", ("options", name)))
        elif name not in known:
            message = f"{settings['method']} has no option {shown(name)} here; there are {', '.join(known)}."
            faults.append(Fault(message, ("options", name)))
        elif problem := known[name](value):
            faults.append(Fault(f"`{name}` {problem}.", ("options", name)))
    return faults


def _method(value: Any) -> str | None:
    if isinstance(value, str) and value in REFUSED_METHODS:
        return f"{value} is not supported: it needs derivatives that are not there"
    return one_of(*METHODS)(value)


MINIMIZE = Optimiser(
    {
        "method": Field(_method, "L-BFGS-B"),
        "max_iterations": Field(whole(1, MAX_ITERATIONS), None),
        "tol": Field(number(0), None),
        "options": Field(lambda value: None if isinstance(value, dict) else "must be an object", None),
        "diff_step": Field(number(1e-10, 0.1), STEP),
    },
    run,
    check,
    takes_bounds=lambda settings: settings["method"] not in NO_BOUNDS,
)
