"""Three pulses and rests of an SPM with noise, which determine both of its diffusivities."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pybamm

from tests.battery.work import parameter_set

SET = "Chen2020"
TRUTHS = {"Negative particle diffusivity [m2.s-1]": 3.3e-14, "Positive particle diffusivity [m2.s-1]": 4e-15}
"""Diffusivities of the parameter set."""
NOISE = 0.002
"""Standard deviation of the voltage noise [V]."""
PARAMETERS = {
    name: {"initial_value": 2 * truth, "bounds": [truth / 30, truth * 30], "transform": "Log10"}
    for name, truth in TRUTHS.items()
}
PULSE, REST, STEP, JUMP = 600.0, 1200.0, 20.0, 1.0
"""Seconds of 1C and of rest, between samples, and from the last sample of one to the first of the other."""


@cache
def profile() -> tuple[np.ndarray, np.ndarray]:
    """Time [s] and current [A], (276,) each."""
    times, currents = [0.0], [5.0]
    for index in range(6):
        start, current = times[-1], 5.0 * (index % 2 == 0)
        end = start + (PULSE if current else REST)
        first = [start + JUMP] if index else []
        samples = [*first, *np.arange(start + STEP, end + STEP / 2, STEP)]
        times += samples
        currents += [current] * len(samples)
    return np.array(times), np.array(currents)


@cache
def voltage() -> np.ndarray:
    """Return the voltage without noise, (276,), by PyBaMM with much tighter tolerances than a fit has."""
    times, currents = profile()
    values = pybamm.ParameterValues(SET)
    values["Current function [A]"] = pybamm.Interpolant(times, currents, pybamm.t)
    solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-11)
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), parameter_values=values, solver=solver)
    exact: np.ndarray = simulation.solve(times)["Voltage [V]"](times)
    return exact


def measured(seed: int) -> dict[str, list[float]]:
    times, currents = profile()
    noise = NOISE * np.random.default_rng(seed).standard_normal(times.size)
    return {
        "Time [s]": times.tolist(),
        "Current [A]": currents.tolist(),
        "Voltage [V]": (voltage() + noise).tolist(),
    }


def elements(seed: int, optimizer: str = "ScipyLeastSquares", **options: Any) -> dict[str, Any]:
    """Build a pipeline that fits both diffusivities to the data."""
    objective = {"type": "CurrentDriven", "data": {"data": measured(seed)}, "options": {"model": "SPM"} | options}
    return {
        "known": {"element_type": "entry", "values": parameter_set(SET)},
        "fit": {
            "element_type": "data_fit",
            "objectives": {"pulses": objective},
            "parameters": PARAMETERS,
            "optimizer": {"type": optimizer},
        },
    }
