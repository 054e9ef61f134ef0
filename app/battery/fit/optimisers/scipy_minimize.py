"""scipy.optimize.minimize."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from app.battery.checks.fields import Field, Settings, flag, number, one_of, shown, whole
from app.battery.fit.search.optimiser import MAX_EVALUATIONS, MAX_ITERATIONS, Array, Found, Optimiser, Search
from app.execution.executor import Fault

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
"""Allowed options of each method."""
NO_GRADIENT = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
NO_BOUNDS = ("CG", "BFGS")
LIMITS = ("maxiter", "maxfun", "maxfev")
LIMITED: dict[str, tuple[int, ...]] = {
    "Nelder-Mead": (1, 2),
    "Powell": (1, 2),
    "CG": (1,),
    "BFGS": (1,),
    "L-BFGS-B": (1,),
    "TNC": (3,),
    "COBYLA": (3, 20),
    "COBYQA": (5, 6),
    "SLSQP": (9,),
    "trust-constr": (0,),
}
"""Status of each method for a limit that was reached."""
COUNTING = ("TNC", "COBYLA")
"""Methods that count evaluations as iterations."""
NARROWED: dict[str, dict[str, float]] = {
    "Nelder-Mead": {"xatol": 1e-4, "fatol": 1e-4},
    "Powell": {"xtol": 1e-4, "ftol": 1e-4},
    "COBYLA": {"rhobeg": 1.0},
    "COBYQA": {"initial_tr_radius": 1.0},
    "SLSQP": {"ftol": 1e-6},
}
"""First steps and tolerances of each method, which restarts reduce."""
REFUSED_METHODS = ("Newton-CG", "dogleg", "trust-exact", "trust-krylov", "trust-ncg")


def run(settings: Settings, search: Search) -> Found:
    method, size = settings["method"], _size(search)
    options = _options(settings, search)
    if any(options.get(name, 1) < 1 for name in LIMITS):
        return Found(search.start, 0, False, "Limits are reached.", is_limited=True)
    extra: dict[str, Any] = {}
    if method not in NO_GRADIENT:
        extra["jac"] = lambda point: search.gradient(point) / size
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
        np.atleast_1d(answer.x),
        int(getattr(answer, "nit", rounds[0])),
        bool(answer.success),
        str(answer.message),
        int(answer.nfev),
        is_limited=answer.status in LIMITED.get(method, ()),
    )


def _options(settings: Settings, search: Search) -> dict[str, Any]:
    """Return SciPy's options: the given ones, minus the budget used before a restart. Default first steps and
    tolerances are reduced by restarts."""
    method, options = settings["method"], dict(settings["options"] or {})
    if settings["max_iterations"] is not None:
        counts = method in COUNTING
        used = search.evaluations if counts else search.iterations
        options["maxfun" if method == "TNC" else "maxiter"] = settings["max_iterations"] - used
    for name in ("maxfun", "maxfev"):
        if name in (settings["options"] or {}):
            options[name] = settings["options"][name] - search.evaluations
    if search.restart and settings["tol"] is None:
        options = {name: search.narrowed(size) for name, size in NARROWED.get(method, {}).items()} | options
    return options


def _size(search: Search) -> float:
    """Return the cost at the start: tolerances are relative to it, in any units and normalisation."""
    return abs(search.scalar(search.start)) or 1.0


def check(settings: Settings, count: int) -> list[Fault]:
    known = METHODS[settings["method"]]
    faults = []
    for name, value in (settings["options"] or {}).items():
        if name == "maxiter":
            faults.append(Fault("Give `max_iterations` instead.", ("options", name)))
        elif name not in known:
            message = f"{settings['method']} has no option {shown(name)} here; known are {', '.join(known)}."
            faults.append(Fault(message, ("options", name)))
        elif problem := known[name](value):
            faults.append(Fault(f"`{name}` {problem}.", ("options", name)))
    return faults


def _method(value: Any) -> str | None:
    if isinstance(value, str) and value in REFUSED_METHODS:
        return f"{value} is not supported: it needs derivatives that are not available"
    return one_of(*METHODS)(value)


MINIMIZE = Optimiser(
    {
        "method": Field(_method, "L-BFGS-B"),
        "max_iterations": Field(whole(1, MAX_ITERATIONS), None),
        "tol": Field(number(0), None),
        "options": Field(lambda value: None if isinstance(value, dict) else "must be an object", None),
        "diff_step": Field(number(1e-10, 0.1), None),
    },
    run,
    check,
    takes_bounds=lambda settings: settings["method"] not in NO_BOUNDS,
)
