"""Runs a fit: searches from each starting point, and what came of the best."""

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

from app.battery.fit.coordinates import Coordinates
from app.battery.fit.data_fit import DataFit, unfit
from app.battery.fit.guesses import Guess
from app.battery.fit.links import followers
from app.battery.fit.misfit import Misfit, Outputs
from app.battery.fit.problem import Enough, Model, Problem, Tally
from app.battery.fit.search import Found, Search
from app.battery.fit.uncertainty import at_bounds, uncertainty
from app.battery.objective_warnings import objective_warnings
from app.battery.objectives.objective import Objective
from app.battery.objectives.series import series
from app.battery.work import Known, Product, Report, refused
from app.execution.executor import JobFailed, Series
from app.models import JobErrorCode, SeriesSource


def fitted(fit: DataFit, starts: Sequence[Guess], known: Known, report: Report) -> Product:
    """The fit, with the values of all elements before it. JobFailed."""
    if faults := unfit(fit, known):
        raise refused(faults)
    with np.errstate(all="ignore"), warnings.catch_warnings():  # what is not finite counts as no solution
        warnings.simplefilter("ignore")
        return _fitted(fit, starts, known, _model(fit, known), report)


def _model(fit: DataFit, known: Known) -> Model:
    links = fit.parameters.links
    free = list(fit.parameters.free)
    values: dict[str, Any] = {**known, **fit.parameters.fixed}
    follow = followers(links, values, free)
    values |= {name: each.symbol for name, each in links.items() if each.is_function}
    given = [*free, *(name for name, each in links.items() if not each.is_function)]
    return Model(
        Coordinates(fit.parameters.free),
        Misfit(fit.cost, {name: each.data for name, each in fit.objectives.items()}, fit.parameters.free),
        {name: each.simulate(values, given) for name, each in fit.objectives.items()},
        follow,
        partial(_normalised, list(fit.objectives.values())),
    )


def _normalised(objectives: Sequence[Objective], values: Mapping[str, float]) -> dict[str, float]:
    found = dict(values)
    for each in objectives:
        found = each.normalised(found)
    return found


def _fitted(fit: DataFit, starts: Sequence[Guess], known_values: Known, model: Model, report: Report) -> Product:
    tally = Tally(report, model.normalised)
    children = [_child(fit, model, tally, guess, job) for job, guess in enumerate(starts)]
    solved = [child for child in children if child.best is not None]
    if not solved:
        message = f"The model has no solution at any of {tally.evaluations} points: {tally.trouble:.300}"
        raise JobFailed(JobErrorCode.SOLVER_ERROR, message, {"evaluations": tally.evaluations})
    winner = min(solved, key=lambda child: child.cost)
    best: Any = winner.best
    tally.tell(best)
    known = uncertainty(Problem(model, Tally(lambda progress: None, dict)), model.coordinates, model.misfit, best)
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
    told = objective_warnings(fit.objectives, best.outputs, {**known_values, **values})
    fields["warnings"] = [each.to_json() for each in told]
    return Product(values, "OptimizationResult", fields, _series(fit, model, winner))


class _Child:
    """What one search came to."""

    def __init__(self, model: Model, guess: Guess, problem: Problem, found: Found, job: int) -> None:
        self.guess, self.first, self.best = guess, problem.first, problem.best
        self.values = {} if problem.best is None else model.normalised(problem.best.values)
        self.cost = math.inf if problem.best is None else problem.best.cost
        cost = None if problem.best is None else problem.best.cost
        self.fields: dict[str, Any] = {
            "cost": cost,
            "x": None if problem.best is None else problem.best.place.tolist(),
            "fun": cost,
            "success": found.success and problem.best is not None,
            "message": found.message,
            "evaluations": problem.evaluations,
            "failed_evaluations": problem.failed,
            "iterations": found.iterations,
            "initial_guess": guess,
            "job_id": job,
        }

    @property
    def result(self) -> dict[str, Any]:
        return {"type": "OptimizationResult", "parameter_values": self.values, **self.fields}


def _child(fit: DataFit, model: Model, tally: Tally, guess: Guess, job: int) -> _Child:
    most = fit.options["maxtime"]
    deadline = math.inf if most is None else monotonic() + most
    problem = Problem(model, tally, deadline, fit.options["max_iterations"])
    coordinates = model.coordinates
    search = Search(
        coordinates.point(guess),
        coordinates.low,
        coordinates.high,
        problem.scalar,
        problem.gradient,
        problem.residuals(priors=True),
        problem.residuals(priors=False) if model.misfit.weighs else None,
        problem.iterated,
        (fit.options["seed"] + job) % 2**32,
    )
    try:
        found = fit.optimiser.run(fit.settings, search)
    except Enough as limit:
        found = Found(search.start, problem.iterations, False, str(limit))
    return _Child(model, guess, problem, found, job)


def _series(fit: DataFit, model: Model, winner: _Child) -> list[Series]:
    outputs = {SeriesSource.OPTIMAL: winner.best.outputs if winner.best else {}}
    if not fit.options["skip_objective_callbacks"]:
        outputs[SeriesSource.BASELINE] = _baseline(model, winner)
    return [
        series(name, objective, source, each[name])
        for name, objective in fit.objectives.items()
        for source, each in outputs.items()
        if name in each
    ]


def _baseline(model: Model, child: _Child) -> Outputs:
    """The models at the initial guess: often that is evaluated already. Those without a solution there are left out."""
    values = child.guess | model.follow(child.guess)
    if child.first is not None and child.first.values == values and child.first.outputs:
        return child.first.outputs
    found = {}
    for name, simulate in model.simulators.items():
        with contextlib.suppress(pybamm.SolverError, ArithmeticError):
            found[name] = simulate(values)
    return found
