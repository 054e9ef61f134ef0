"""Configuration of a Data Fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from app.battery.checked_element import CheckedElement, ParsedElement
from app.battery.checks.fields import Field, Path, Settings, flag, number, one_of, options, settle, shown, source, whole
from app.battery.checks.public_schema import schema_faults
from app.battery.costs import Cost, parse_cost, scope_faults
from app.battery.fit.data_fit import DataFit, unfit
from app.battery.fit.optimisers import parse_optimiser
from app.battery.fit.parameters.free_parameters import Parameters, parameters
from app.battery.fit.parameters.guesses import guess_faults, guesses
from app.battery.fit.run import fitted
from app.battery.fit.search.optimiser import MAX_ITERATIONS, Optimiser
from app.battery.objectives import Objective, is_single, objectives
from app.execution.executor import Fault

DEFAULT_COST = {"type": "SSE"}
MAX_SLOPES = 20_000_000
MAX_TIME = 30 * 24 * 3600.0


def _anything(value: Any) -> str | None:
    """Accept any value: the field has a check of its own."""
    return None


def _logger(value: Any) -> str | None:
    return None if value == {} else "is not supported: checkpoints keep the course of the cost"


OPTIONS = {
    "seed": Field(whole(0, 2**32 - 1), None),
    "low_memory": Field(flag, None),
    "max_iterations": Field(whole(1, MAX_ITERATIONS), None),
    "maxtime": Field(number(high=MAX_TIME, above=0), None),
    "validate": Field(flag, True),
    "skip_objective_callbacks": Field(flag, False),
}
OWN = (
    "objectives",
    "parameters",
    "cost",
    "optimizer",
    "priors",
    "multistarts",
    "initial_guesses",
    "initial_guess_sampler",
)
FIELDS = {
    "source": Field(source, None),
    **{name: Field(_anything, None) for name in OWN},
    "cost_logger": Field(_logger, None),
    # Objectives are evaluated one after the other: `on` would promise what does not happen.
    "objective_parallelism": Field(one_of("auto", "off"), "auto"),
    "options": options(OPTIONS),
}


def parse_fit(config: dict[str, Any]) -> ParsedElement:
    """Check a fit. Return the element, or every problem."""
    settings, faults = settle(FIELDS, config)
    compared, unsound = objectives(config.get("objectives"), ("objectives",))
    taken, more = parameters(config.get("parameters"), config.get("priors"))
    free = taken.free if taken else {}
    cost, wrong = parse_cost(DEFAULT_COST if config.get("cost") is None else config["cost"], ("cost",))
    optimiser, chosen, amiss = parse_optimiser(config.get("optimizer"), ("optimizer",), free)
    faults += unsound + more + wrong + amiss
    if taken is not None:
        faults += guess_faults(config, free)
        faults += _overridden(config.get("objectives"), taken)
    if cost is not None:
        faults += _cost_faults(cost, optimiser, chosen, taken)
        if not unsound:
            faults += scope_faults(cost, {name: each.data for name, each in compared.items()}, ("cost",))
            faults += _size_faults(compared, len(free))
    if faults or taken is None or cost is None:
        return None, faults
    if faults := schema_faults(config | {"element_type": "data_fit"}):
        return None, faults
    return _work(DataFit(config, compared, taken, cost, optimiser, chosen, settings["options"])), []


def _size_faults(compared: Mapping[str, Objective], free: int) -> list[Fault]:
    """Bound the size of the Jacobian: all data by all parameters."""
    rows = sum(data.size for each in compared.values() for data in each.data.values())
    if rows * free <= MAX_SLOPES:
        return []
    message = f"{rows:,} data by {free} free parameters are more than {MAX_SLOPES:,}. Thin the data out."
    return [Fault(message, ("objectives",))]


def _overridden(config: Any, fitted: Parameters) -> list[Fault]:
    """Return the problems of fit parameters that an objective overrides."""
    given = config if isinstance(config, Mapping) else {}
    named: dict[Path, Any] = {("objectives", name): each for name, each in given.items()}
    if is_single(given):
        named = {("objectives",): given}
    own = {path: each.get("parameters") for path, each in named.items() if isinstance(each, Mapping)}
    return [
        Fault(f"{name} is fitted, and fixed for this objective. Keep one.", (*path, "parameters", name))
        for path, values in own.items()
        for name in (values if isinstance(values, Mapping) else ())
        if name in fitted.free or name in fitted.links
    ]


def _cost_faults(cost: Cost, optimiser: Optimiser, chosen: Settings, fitted: Parameters | None) -> list[Fault]:
    faults = []
    if optimiser.residuals and cost.kind == "RMSE":
        message = f"RMSE is one number; {chosen['type']} needs residuals. Take MSE or SSE."
        faults.append(Fault(message, ("cost", "type")))
    for variable, name in cost.sigma.items():
        if isinstance(name, str) and fitted is not None:
            faults += _noise_faults(variable, name, fitted)
        if isinstance(name, str) and optimiser.residuals:
            message = f"{chosen['type']} cannot fit a noise: its part of the likelihood is in no residual."
            faults.append(Fault(message, ("cost", "sigma", variable)))
    return faults


def _noise_faults(variable: str, name: str, fitted: Parameters) -> list[Fault]:
    if name not in fitted.free:
        return [Fault(f"{shown(name)} is no free parameter of this fit.", ("cost", "sigma", variable))]
    if fitted.free[name].low <= 0:
        message = f"{name} is the noise of {variable}: its lower bound must be greater than 0."
        return [Fault(message, ("parameters", name, "bounds"))]
    return []


def _work(fit: DataFit) -> CheckedElement:
    seed = fit.options["seed"]
    fit.options["seed"] = int.from_bytes(os.urandom(4)) if seed is None else seed
    starts = guesses(fit.config, fit.parameters.free, fit.options["seed"])
    return CheckedElement(
        fit.effective,
        lambda inputs, report: fitted(fit, starts, inputs.decoded(), report),
        lambda: fit.sets,
        lambda known: unfit(fit, known),
    )
