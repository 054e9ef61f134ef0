"""Free parameters have the same effect as fixed ones, for every accepted option of PyBaMM.

All numbers that a model reads are free, except lengths that rebuild the model, and each function has a free factor. A
quantity that is computed before the values are known, or without some of them, changes the voltage.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives import Objective, objectives
from app.battery.objectives.simulation.initial_state import SOC
from app.battery.objectives.simulation.initial_state import VOLTAGE as INITIAL_VOLTAGE
from app.execution.executor import JobFailed
from tests.battery.measured import CURRENT, TIME, VOLTAGE, chen2020, made, objective
from tests.battery.option_values import Case, Values, cases, fill, options, values

MODELS = {"lithium_ion": ("SPM", "SPMe", "DFN"), "equivalent_circuit": ("Thevenin",)}
LENGTHS = ("electrode thickness [m]", "Separator thickness [m]")
SHIFT = 1.002
SOLVER = {"solver": {"rtol": 1e-8, "atol": 1e-10}}
PARTS = 4
"""Number of tests that share the options, so that processes beside each other can take them."""
QUICK: list[Case] = [
    ("lithium_ion", "open-circuit potential", "single"),
    ("lithium_ion", "open-circuit potential", "current sigmoid"),
    ("lithium_ion", "open-circuit potential", "one-state hysteresis"),
    ("lithium_ion", "open-circuit potential", "MSMR"),
    ("lithium_ion", "particle phases", "2"),
    ("lithium_ion", "particle size", "distribution"),
    ("lithium_ion", "working electrode", "positive"),
    ("lithium_ion", "thermal", "lumped"),
    ("equivalent_circuit", "number of rc elements", 1),
]


def config(module: str, model: str, given: dict[str, Any]) -> dict[str, Any]:
    columns = {TIME: [60.0 * row for row in range(4)], CURRENT: [0.5] * 4, VOLTAGE: [3.7] * 4}
    kind = {"type": model, "module": module, "options": given}
    return objective("CurrentDriven", columns, model=kind, simulation_kwargs=SOLVER)


def scaled(function: Any, factor: str) -> Any:
    @functools.wraps(function)
    def product(*arguments: Any, **named: Any) -> Any:
        return pybamm.Parameter(factor) * function(*arguments, **named)

    return product


def freed(one: Objective, known: Values) -> tuple[Values, dict[str, float]]:
    """Return the values with factors in all functions, and a point for all numbers that are read and all factors."""
    point, wrapped = {}, {}
    for name in one.parameter_names(known):
        value = known.get(name)
        if isinstance(value, int | float) and not name.endswith(LENGTHS):
            point[name] = value * SHIFT
        elif callable(value) and not isinstance(value, pybamm.Symbol):
            wrapped[name] = scaled(value, f"Factor of {name}")
            point[f"Factor of {name}"] = SHIFT
    return known | wrapped, point


def solved(one: Objective, known: Values, point: dict[str, float]) -> Any:
    """Return the voltage with all parameters fixed; None if PyBaMM has no such model or no solution."""
    try:
        return one.simulate(known | point, [])({})[VOLTAGE]
    except (JobFailed, pybamm.SolverError, RuntimeError):
        return None


def compare(case: Case, start: str = SOC, at: float = 60.0, tolerance: float = 1e-6) -> str | None:
    """Compare both voltages; return the model, or None if PyBaMM solves none with this option."""
    module, option, value = case
    given = options(option, value)
    for model in MODELS[module]:
        found, faults = objectives({"one": config(module, model, given)}, ("objectives",))
        if faults:
            continue
        known = values(module, given) | ({start: at} if module == "lithium_ion" else {})
        known = fill(known, found["one"].parameter_names(known))
        known, point = freed(found["one"], known)
        expected = solved(found["one"], known, point)
        if expected is not None:
            assert len(point) > 10, case
            free = found["one"].simulate(known, list(point))(point)[VOLTAGE]
            assert np.abs(free - expected).max() < tolerance, case
            return model
    return None


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_all_parameters_may_be_free(case: Case) -> None:
    assert compare(case) is not None


def test_all_parameters_may_be_free_from_a_voltage() -> None:
    assert compare(("lithium_ion", "open-circuit potential", "current sigmoid"), INITIAL_VOLTAGE, 3.8) is not None


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parallel
@pytest.mark.parametrize("part", range(PARTS))
def test_all_parameters_may_be_free_with_every_option(part: int) -> None:
    """Integration steps differ if a parameter is an input: the stated error of the voltage is the tolerance."""
    compared = [case for case in [*cases()][part::PARTS] if compare(case, tolerance=2e-5) is not None]
    assert len(compared) > 60 // PARTS


@pytest.mark.parametrize("option", ["current sigmoid", "one-state hysteresis"])
def test_the_state_follows_a_parameter_within_a_branch(option: str) -> None:
    def branch(sign: float) -> Any:
        potential = chen2020()["Negative electrode OCP [V]"]
        return lambda sto: potential(sto) + sign * pybamm.Parameter("Hysteresis offset [V]")

    known = values("lithium_ion", {}) | {SOC: 50.0}
    known |= {"Negative electrode lithiation OCP [V]": branch(-1), "Negative electrode delithiation OCP [V]": branch(1)}
    both = [option, "single"]
    one = made(config("lithium_ion", "SPM", {"open-circuit potential": both}))
    free = one.simulate(known, ["Hysteresis offset [V]"])
    for offset in (0.03, 0.05):
        fixed = one.simulate(known | {"Hysteresis offset [V]": offset}, [])({})
        assert np.abs(free({"Hysteresis offset [V]": offset})[VOLTAGE] - fixed[VOLTAGE]).max() < 1e-6


def test_a_limit_of_a_composite_cell_may_be_free() -> None:
    """Only the initial state reads this parameter."""
    name = "Open-circuit voltage at 100% SOC [V]"
    given = options("particle phases", "2")
    one = made(config("lithium_ion", "SPM", given))
    known = values("lithium_ion", given) | {SOC: 60.0}
    assert name in one.parameter_names(known)
    free = one.simulate(known, [name])
    low, high = (free({name: limit})[VOLTAGE] for limit in (4.1, 4.2))
    fixed = one.simulate(known | {name: 4.1}, [])({})[VOLTAGE]
    assert np.abs(low - fixed).max() < 1e-6 < 1e-3 < np.abs(low - high).max()
