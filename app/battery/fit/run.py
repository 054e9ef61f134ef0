"""Run of a fit: a search from each starting point, and the result of the best."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import pybamm

from app.battery.checked_element import ElementResult, Known, Report, refused
from app.battery.fit.child import Child
from app.battery.fit.data_fit import DataFit, unfit
from app.battery.fit.diagnosis import diagnose
from app.battery.fit.history import History
from app.battery.fit.misfit import Misfit, Outputs
from app.battery.fit.parameters.coordinates import Coordinates
from app.battery.fit.parameters.guesses import Guess
from app.battery.fit.parameters.links import followers
from app.battery.fit.problem import FitModel, FitProblem, FitTally
from app.battery.fit.search.restarts import Descent
from app.battery.fit.uncertainty import at_bounds
from app.battery.objectives.objective import Objective
from app.battery.objectives.series import series
from app.battery.warnings.objective_warnings import objective_warnings
from app.execution.executor import JobFailed, Series
from app.models.enums import JobErrorCode, SeriesSource


def fitted(fit: DataFit, starts: Sequence[Guess], known: Known, report: Report) -> ElementResult:
    """Run a fit with the values of all earlier elements. Raises JobFailed."""
    if faults := unfit(fit, known):
        raise refused(faults)
    with np.errstate(all="ignore"), warnings.catch_warnings():  # a value that is not finite counts as no solution
        warnings.simplefilter("ignore")
        return _fitted(fit, starts, known, _model(fit, known), report)


def _model(fit: DataFit, known: Known) -> FitModel:
    links = fit.parameters.links
    free = list(fit.parameters.free)
    values: dict[str, Any] = {**known, **fit.parameters.fixed}
    follow = followers(links, values, free)
    values |= {name: each.symbol for name, each in links.items() if each.is_function}
    return FitModel(
        Coordinates(fit.parameters.free),
        Misfit(fit.cost, {name: each.data for name, each in fit.objectives.items()}, fit.parameters.free),
        {name: each.simulate(values, _numbers(fit)) for name, each in fit.objectives.items()},
        follow,
        partial(_normalised, list(fit.objectives.values())),
    )


def _numbers(fit: DataFit) -> list[str]:
    """Return the names of the values of a point: free parameters, and links that are numbers."""
    return [*fit.parameters.free, *(name for name, each in fit.parameters.links.items() if not each.is_function)]


def _normalised(objectives: Sequence[Objective], values: Mapping[str, float]) -> dict[str, float]:
    found = dict(values)
    for each in objectives:
        found = each.normalised(found)
    return found


def _fitted(
    fit: DataFit, starts: Sequence[Guess], known_values: Known, model: FitModel, report: Report
) -> ElementResult:
    tally = FitTally(report, model.normalised, History(_numbers(fit)))
    children = _children(fit, model, tally, starts)
    solved = [child for child in children if child.best is not None]
    if not solved:
        message = f"The model has no solution at any of {tally.evaluations} points: {tally.trouble:.300}"
        raise JobFailed(JobErrorCode.SOLVER_ERROR, message, {"evaluations": tally.evaluations})
    winner = min(solved, key=lambda child: child.cost)
    best: Any = winner.best
    tally.tell(best)
    known = winner.uncertainty()
    fields = winner.fields | {
        "data_cost": model.misfit.data_cost(best.errors, best.values),
        "at_bounds": at_bounds(model.coordinates, best.place),
        "failed_evaluations": tally.failed,
        "seed": fit.options["seed"],
        **known.fields(),
    }
    if len(children) > 1:
        fields["children"] = [child.result for child in sorted(children, key=lambda child: child.cost)]
        fields["total_evaluations"] = tally.evaluations
    functions = {name: each.symbol for name, each in fit.parameters.links.items() if each.is_function}
    values = winner.values | fit.parameters.fixed | functions
    warnings = [
        *diagnose(model, winner, children, known, tally),
        *objective_warnings(fit.objectives, best.outputs, {**known_values, **values}),
    ]
    fields["warnings"] = [each.to_json() for each in warnings]
    return ElementResult(
        values, "OptimizationResult", fields, [*_series(fit, model, winner), tally.history.series(model.normalised)]
    )


def _children(fit: DataFit, model: FitModel, tally: FitTally, starts: Sequence[Guess]) -> list[Child]:
    """Run one search per start. `maxtime` limits all searches together: each start has an equal share of the remaining
    time."""
    most = fit.options["maxtime"]
    end = math.inf if most is None else monotonic() + most
    children = []
    for job, guess in enumerate(starts):
        now = monotonic()
        deadline = now + (end - now) / (len(starts) - job)
        tally.start = job
        problem = FitProblem(model, tally, deadline, fit.options["max_iterations"])
        descent = Descent(fit, model, problem, (fit.options["seed"] + job) % 2**32)
        descent.run(model.coordinates.point(guess))
        children.append(Child(model, guess, descent, job))
    return children


def _series(fit: DataFit, model: FitModel, winner: Child) -> list[Series]:
    outputs = {SeriesSource.OPTIMAL: winner.best.outputs if winner.best else {}}
    if not fit.options["skip_objective_callbacks"]:
        outputs[SeriesSource.BASELINE] = _baseline(model, winner)
    return [
        series(name, objective, source, each[name])
        for name, objective in fit.objectives.items()
        for source, each in outputs.items()
        if name in each
    ]


def _baseline(model: FitModel, child: Child) -> Outputs:
    """Return the models' outputs at the initial guess, without those that have no solution there."""
    values = child.guess | model.follow(child.guess)
    if child.first is not None and child.first.values == values and child.first.outputs:
        return child.first.outputs
    found = {}
    for name, simulate in model.simulators.items():
        with contextlib.suppress(pybamm.SolverError, ArithmeticError):
            found[name] = simulate(values)
    return found
