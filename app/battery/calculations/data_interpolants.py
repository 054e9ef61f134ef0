"""Functions of the stoichiometry as tables of measured data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pybamm

from app.battery.checks.fields import Path, Settings
from app.battery.expressions.parameter_names import PHASES, of_electrode
from app.battery.functions import Inputs, Made, model_error
from app.battery.objectives.data.measurements import Loaded, Needs, measured
from app.battery.objectives.objective import Array

STOICHIOMETRY, VOLTAGE = "Stoichiometry", "Voltage [V]"
DIFFUSIVITY, ENTROPIC = "Diffusivity [m2.s-1]", "Entropic change [V.K-1]"
LEAST, MOST = 4, 20_000
"""Minimum and maximum points of a table: a cubic needs four, and each is a number in all later configurations."""
Load = Callable[[Any, Path], Loaded]


def columns_of_stoichiometry(column: str) -> Load:
    """Return a loader of a column over the stoichiometry."""
    needs = Needs([STOICHIOMETRY, column], STOICHIOMETRY)
    return lambda config, path: measured(config, path, needs)


def ocp(settings: Settings, inputs: Inputs) -> Made:
    """U(x) [V]. Source: public schema, OCPDataInterpolant."""
    options = settings["options"]
    x, voltage = table(settings["data"], VOLTAGE, options["tolerance"])
    branch = f"{options['direction']} OCP [V]" if options["direction"] else "OCP [V]"

    def function(sto: Any) -> Any:
        return pybamm.Interpolant(x, voltage, sto, name="OCP", interpolator=options["interpolator"])

    return {of_electrode(settings["electrode"], branch, options["phase"]): function}


def diffusivity(settings: Settings, inputs: Inputs) -> Made:
    """D(x) [m2.s-1], of its logarithm if `transformation` is `log`.

    Source: public schema, DiffusivityDataInterpolant.
    """
    options = settings["options"]
    x, values = table(settings["data"], DIFFUSIVITY, 0.0)
    if (wrong := np.flatnonzero(values <= 0)).size:
        row = int(wrong[0])
        raise model_error(f"{DIFFUSIVITY} must be greater than zero; it is {values[row]:g} at {x[row]:g}.")
    is_log = options["transformation"] == "log"
    known = np.log(values) if is_log else values

    def function(sto: Any, T: Any) -> Any:
        found = pybamm.Interpolant(x, known, sto, name="diffusivity", interpolator=options["interpolator"])
        return pybamm.exp(found) if is_log else found

    return {f"{particle(settings)} diffusivity [m2.s-1]": function}


def entropic_change(settings: Settings, inputs: Inputs) -> Made:
    """dU/dT(x) [V.K-1], times `scale factor`. Source: public schema, EntropicChangeDataInterpolant."""
    options = settings["options"]
    x, values = table(settings["data"], ENTROPIC, options["tolerance"])
    scaled = options["scale factor"] * values

    def function(sto: Any) -> Any:
        return pybamm.Interpolant(x, scaled, sto, name="entropic change", interpolator=options["interpolator"])

    return {of_electrode(settings["electrode"], "OCP entropic change [V.K-1]", options["phase"]): function}


def particle(settings: Settings) -> str:
    """Return the beginning of the names of particle parameters, such as `Primary: Negative particle`."""
    return f"{PHASES[settings['phase']]}{settings['electrode'].capitalize()} particle"


def table(data: Loaded, column: str, tolerance: float) -> tuple[Array, Array]:
    """Return rising stoichiometries and the values there, (n,) each, of those further apart than `tolerance`."""
    order = np.argsort(data.columns[STOICHIOMETRY], kind="stable")
    x, values = data.columns[STOICHIOMETRY][order], data.columns[column][order]
    if x[0] < 0 or x[-1] > 1:
        raise model_error(f"{STOICHIOMETRY} must be from 0 to 1; the data go from {x[0]:g} to {x[-1]:g}.")
    kept = [0]
    for row, each in enumerate(x.tolist()):
        if each - x[kept[-1]] > tolerance:
            kept.append(row)
    if len(kept) < LEAST:
        raise model_error(f"{STOICHIOMETRY} has {len(kept)} different values; at least {LEAST} are needed.")
    if len(kept) > MOST:
        raise model_error(
            f"{STOICHIOMETRY} has {len(kept):,} different values; at most {MOST:,} are allowed. Thin them."
        )
    return x[kept], values[kept]
