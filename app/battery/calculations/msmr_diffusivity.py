"""Diffusivities of the MSMR model, from the slope of an open-circuit potential.

D = -F / (R T) D_ref x (1 - x) dU/dx. With an activation energy E, T is T_ref there, and the factor
exp(E / R (1 / T_ref - 1 / T)) follows. D_ref is left to be entered or fitted. Source: public schema,
DiffusivityFromMSMRData and its siblings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pybamm

from app.battery.calculations.data_interpolants import VOLTAGE, particle, table
from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import REFERENCE_TEMPERATURE, of_electrode
from app.battery.functions import Inputs, Made, model_error
from app.battery.objectives.objective import Array

POINTS = 1001
"""Stoichiometries at which an OCP function is evaluated."""


def from_data(settings: Settings, inputs: Inputs) -> Made:
    """D(x, T) [m2.s-1] of OCP data."""
    return _diffusivity(settings, *table(settings["data"], VOLTAGE, 0.0), _thermal_voltage)


def arrhenius_from_data(settings: Settings, inputs: Inputs) -> Made:
    """D(x, T) [m2.s-1] of OCP data, with an activation energy."""
    return _diffusivity(settings, *table(settings["data"], VOLTAGE, 0.0), _activated(settings))


def from_function(settings: Settings, inputs: Inputs) -> Made:
    """D(x, T) [m2.s-1] of the OCP function of earlier elements between two voltages."""
    return _diffusivity(settings, *_evaluated(settings, inputs), _thermal_voltage)


def arrhenius_from_function(settings: Settings, inputs: Inputs) -> Made:
    """D(x, T) [m2.s-1] of the OCP function of earlier elements, with an activation energy."""
    return _diffusivity(settings, *_evaluated(settings, inputs), _activated(settings))


Factor = Callable[[Any], Any]


def _thermal_voltage(temperature: Any) -> Any:
    return pybamm.constants.F / (pybamm.constants.R * temperature)


def _activated(settings: Settings) -> Factor:
    energy = pybamm.Parameter(f"{particle(settings)} diffusivity activation energy [J.mol-1]")
    reference = pybamm.Parameter(REFERENCE_TEMPERATURE)

    def factor(temperature: Any) -> Any:
        heat = pybamm.exp(energy / pybamm.constants.R * (1 / reference - 1 / temperature))
        return _thermal_voltage(reference) * heat

    return factor


def _diffusivity(settings: Settings, x: Array, voltage: Array, factor: Factor) -> Made:
    options, name = settings["options"], particle(settings)
    slope = np.gradient(voltage, x)
    steep = np.minimum(slope, -options["minimum dUdx"])
    inside = (x > options["x tolerance"]) & (x < 1 - options["x tolerance"])
    if inside.sum() < 4:
        raise model_error("The open-circuit potential has fewer than 4 points between 0 and 1.")
    if (rising := np.flatnonzero(inside & (slope > options["minimum dUdx"]))).size:
        row = int(rising[0])
        message = f"The open-circuit potential rises with the stoichiometry at {x[row]:g}: the diffusivity is negative."
        raise model_error(f"{message} Smooth the data.")
    shape = (-x * (1 - x) * steep)[inside]
    known = x[inside]

    def function(sto: Any, T: Any) -> Any:
        reference = pybamm.FunctionParameter(f"{name} reference diffusivity [m2.s-1]", {f"{name} stoichiometry": sto})
        found = pybamm.Interpolant(known, shape, sto, name="x (1 - x) dU/dx", interpolator=options["interpolator"])
        return factor(T) * reference * found

    return {f"{name} diffusivity [m2.s-1]": function}


def _evaluated(settings: Settings, inputs: Inputs) -> tuple[Array, Array]:
    """Return stoichiometries between the voltage limits, and the OCP there."""
    name = of_electrode(settings["electrode"], "OCP [V]", settings["phase"])
    inputs.require(name)
    x: Array = np.linspace(0, 1, POINTS)[1:-1]
    known = pybamm.ParameterValues(inputs.decoded())
    symbol = pybamm.FunctionParameter(name, {f"{particle(settings)} stoichiometry": pybamm.Vector(x)})
    try:
        voltage: Array = np.asarray(known.process_symbol(symbol).evaluate(), dtype=float).reshape(-1)
    except (KeyError, ValueError, TypeError) as error:
        raise model_error(f"{name} cannot be evaluated: {error}") from error
    if voltage.shape != x.shape:
        raise model_error(f"{name} must be a function of the stoichiometry.")
    low, high = settings["voltage_limits"]
    rows = (voltage >= low) & (voltage <= high)
    if rows.sum() < 4:
        raise model_error(f"{name} is between {low:g} and {high:g} V at fewer than 4 of {POINTS} stoichiometries.")
    return x[rows], voltage[rows]
