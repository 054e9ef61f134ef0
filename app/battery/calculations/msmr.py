"""Open-circuit potentials of the multi-species, multi-reaction (MSMR) model."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pybamm

from app.battery.calculations.microstructure import FARADAY
from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import AMBIENT_TEMPERATURE, of_electrode
from app.battery.functions import Inputs, Made, model_error

GAS_CONSTANT = float(pybamm.constants.R.value)
"""J.mol-1.K-1"""
POINTS = 1001
"""Number of voltages of an interpolant."""
SUM_TOLERANCE = 0.01
"""Tolerance of the sum of occupancy fractions around 1; they are scaled to 1."""


def ocp_interpolant(settings: Settings, inputs: Inputs) -> Made:
    """U(x) [V] and x(U), as tables of x(U) = sum_j X_j / (1 + exp(F (U - U0_j) / (w_j R T))).

    Source: Verbrugge et al. (2017), doi:10.1149/2.0341708jes, eq. 5. T is the ambient temperature.
    """
    electrode, options = settings["electrode"], settings["options"]
    sites = _sites(electrode, inputs)
    (temperature,) = inputs.positive(AMBIENT_TEMPERATURE)
    low, high = settings["voltage_limits"]
    voltages = np.linspace(low, high, POINTS)
    filled = stoichiometry(voltages, np.transpose(sites), temperature)
    rising, potentials = _distinct(filled[::-1], voltages[::-1], options["tolerance"])
    interpolator = options["interpolator"]

    def ocp(sto: Any) -> Any:
        return pybamm.Interpolant(rising, potentials, sto, name="OCP", interpolator=interpolator)

    def lithiation(U: Any) -> Any:
        return pybamm.Interpolant(voltages, filled, U, name="lithiation", interpolator=interpolator)

    made: Made = {of_electrode(electrode, "OCP [V]"): ocp}
    return made | {of_electrode(electrode, "lithiation"): lithiation} if options["create_lithiation_function"] else made


def site_names(electrode: str, site: int, *, capacity: bool = False) -> list[str]:
    """Return the parameter names of a host site: its fraction, or its capacity [A.h]; standard potential [V]; ideality
    factor."""
    share = f"occupancy capacity ({site}) [A.h]" if capacity else f"occupancy fraction ({site})"
    quantities = share, f"standard potential ({site}) [V]", f"ideality factor ({site})"
    return [of_electrode(electrode, f"host site {quantity}") for quantity in quantities]


def _sites(electrode: str, inputs: Inputs) -> list[tuple[float, float, float]]:
    """(X_j, U0_j [V], w_j) of each host site, counted from 0 until there is no more."""
    sites = []
    for site in count():
        names = site_names(electrode, site)
        if site and not any(name in inputs for name in names):
            break
        inputs.require(*names)
        share, potential, ideality = inputs.numbers(*names)
        sites.append((share, potential, ideality))
    total = sum(share for share, *_ in sites)
    if abs(total - 1) > SUM_TOLERANCE:
        raise model_error(f"The occupancy fractions of the {electrode} electrode add up to {total:g}, not 1.")
    if any(ideality <= 0 for *_, ideality in sites):
        raise model_error(f"The ideality factors of the {electrode} electrode must be greater than zero.")
    return [(share / total, potential, ideality) for share, potential, ideality in sites]


def stoichiometry(voltages: Any, sites: Any, temperature: float) -> Any:
    """sum_j X_j / (1 + exp(F (U - U0_j) / (w_j R T))) at U [V], (n,), for rows X_j, U0_j [V] and w_j, and T [K]."""
    shares, potentials, idealities = sites
    # 1 / (1 + exp(z)) written so that no large z overflows
    steps = voltages - potentials[:, None]
    steps /= 2 * GAS_CONSTANT * temperature / FARADAY * idealities[:, None]
    np.tanh(steps, out=steps)
    return (shares.sum() - shares @ steps) / 2


def _distinct(x: Any, u: Any, tolerance: float) -> tuple[Any, Any]:
    """Keep the points whose x exceeds that of the last kept point by more than `tolerance`."""
    kept = [0]
    for index in range(1, len(x)):
        if x[index] - x[kept[-1]] > tolerance:
            kept.append(index)
    if len(kept) < 4:  # a cubic needs four
        raise model_error("The stoichiometry hardly changes between these voltage limits.")
    return x[kept], u[kept]
