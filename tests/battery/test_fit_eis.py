"""Fit of an impedance spectrum that PyBaMM generated with a full model: it recovers the truth."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.impedance import FREQUENCY, IMAGINARY, REAL
from tests.battery.measured import REFERENCE, elements, known_values
from tests.battery.work import run

DOUBLE_LAYER = "Negative electrode double-layer capacity [F.m-2]"
DIFFUSIVITY = "Positive particle diffusivity [m2.s-1]"
TRUTHS = {REFERENCE: 3.0, DOUBLE_LAYER: 0.35, DIFFUSIVITY: 6e-15}
STARTS = {REFERENCE: (1.0, 0.1, 30.0), DOUBLE_LAYER: (0.2, 0.02, 2.0), DIFFUSIVITY: (4e-15, 4e-16, 4e-14)}
FREQUENCIES = np.logspace(-4, 4, 25)


@cache
def spectrum() -> dict[str, list[float]]:
    values = pybamm.ParameterValues(known_values() | TRUTHS)
    model = pybamm.lithium_ion.DFN({"surface form": "differential"})
    impedance = pybamm.EISSimulation(model, parameter_values=values).solve(FREQUENCIES).impedance
    return {
        FREQUENCY: FREQUENCIES.tolist(),
        REAL: impedance.real.tolist(),
        IMAGINARY: impedance.imag.tolist(),
    }


def fit(**fields: Any) -> dict[str, Any]:
    """Build an element that fits all three parameters."""
    objective = {"type": "EIS", "data": {"data": spectrum()}, "options": {"model": "DFN"}}
    parameters = {
        name: {"initial_value": start, "bounds": [low, high], "transform": "Log10"}
        for name, (start, low, high) in STARTS.items()
    }
    config = {"element_type": "data_fit", "objectives": {"spectrum": objective}, "parameters": parameters}
    return config | {"optimizer": {"type": "ScipyLeastSquares"}} | fields


def pipeline(**fields: Any) -> dict[str, Any]:
    real = elements("b_current_driven_fit_validation")
    return {"known": real["known"], "j0": real["j0_function"], "fit": fit(**fields)}


def test_what_a_spectrum_was_made_with_is_found() -> None:
    found = run(pipeline())["fit"]
    for name, truth in TRUTHS.items():
        assert found["parameter_values"][name] == pytest.approx(truth, rel=1e-3)
