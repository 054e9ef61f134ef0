"""Initial state of a simulation: from concentrations, a state of charge or a voltage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.entries.functions import average_ocp
from app.battery.expressions.symbols import decode, encode
from app.battery.objectives.simulation.initial_state import SOC
from app.battery.objectives.simulation.initial_state import VOLTAGE as INITIAL_VOLTAGE
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests.battery.measured import VOLTAGE, chen2020, discharge, made

MAXIMUM = "Maximum concentration in negative electrode [mol.m-3]"
DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"


def started(values: dict[str, Any], initial: Any, model: str = "SPMe") -> Any:
    """Return PyBaMM's voltage from a state of charge."""
    built = getattr(pybamm.lithium_ion, model)()
    built.events = []
    known = pybamm.ParameterValues(values | {"Current function [A]": 2.5})
    solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-11)
    simulation = pybamm.Simulation(built, parameter_values=known, solver=solver)
    times = np.arange(5) * 60.0
    return simulation.solve([0.0, times[-1]], t_interp=times, initial_soc=initial)[VOLTAGE].data


def answer(values: dict[str, Any], point: dict[str, float] | None = None, **fields: Any) -> Any:
    one = made(discharge(model="SPMe", **fields))
    return one.simulate(values, list(point or {}))(point or {})[VOLTAGE]


@pytest.mark.parametrize(("name", "value", "initial"), [(SOC, 40.0, 0.4), (INITIAL_VOLTAGE, 3.7, "3.7 V")])
def test_a_state_among_the_values_is_the_start(name: str, value: float, initial: Any) -> None:
    assert np.abs(answer(chen2020() | {name: value}) - started(chen2020(), initial)).max() < 1e-5


@pytest.mark.parametrize(("name", "value", "initial"), [(SOC, 40.0, 0.4), (INITIAL_VOLTAGE, 3.7, "3.7 V")])
def test_the_state_itself_may_be_free(name: str, value: float, initial: Any) -> None:
    assert np.abs(answer(chen2020(), {name: value}) - started(chen2020(), initial)).max() < 1e-5


def test_concentrations_are_the_start_otherwise() -> None:
    point = {"Initial concentration in negative electrode [mol.m-3]": 20000.0}
    expected = started(chen2020() | point, None)
    assert np.abs(answer(chen2020(), point) - expected).max() < 1e-5


def test_the_state_follows_a_free_parameter_that_it_depends_on() -> None:
    one = made(discharge(model="SPMe")).simulate(chen2020() | {SOC: 40.0}, [MAXIMUM])
    for value in (30000.0, 36000.0):
        assert np.abs(one({MAXIMUM: value})[VOLTAGE] - started(chen2020() | {MAXIMUM: value}, 0.4)).max() < 1e-5


def test_the_state_follows_a_parameter_within_a_potential() -> None:
    branches = average_ocp({"electrode": "negative", "phase": None}, None)  # type: ignore[arg-type]
    names = [f"Negative electrode {branch} OCP [V]" for branch in ("lithiation", "delithiation")]
    values = chen2020() | dict.fromkeys(names, chen2020()["Negative electrode OCP [V]"])
    shifted = decode(encode("f", lambda sto: 0.1 * (1 - sto) + pybamm.Parameter("shift [V]")))
    values |= {names[0]: shifted} | {name: decode(encode(name, value)) for name, value in branches.items()}
    one = made(discharge(model="SPMe")).simulate(values | {SOC: 40.0}, ["shift [V]"])
    for shift in (0.0, 0.05):
        expected = started(values | {"shift [V]": shift}, 0.4)
        assert np.abs(one({"shift [V]": shift})[VOLTAGE] - expected).max() < 1e-5


def test_another_free_parameter_leaves_it_alone() -> None:
    free = answer(chen2020() | {SOC: 40.0}, {DIFFUSIVITY: 4e-14})
    assert np.abs(free - started(chen2020() | {DIFFUSIVITY: 4e-14}, 0.4)).max() < 1e-5


def test_the_state_may_be_an_objectives_own() -> None:
    config = discharge(model="SPMe") | {"parameters": {SOC: 40.0}}
    own = made(config).simulate(chen2020(), [])({})[VOLTAGE]
    assert np.abs(own - started(chen2020(), 0.4)).max() < 1e-5


def test_a_half_cell_starts_from_a_state_too() -> None:
    model = {"type": "SPM", "options": {"working electrode": "positive"}}
    values = dict(pybamm.ParameterValues("Xu2019"))
    config = discharge(model=model)
    for column, value in (("Current [A]", 1e-3),):
        config["data"]["data"][column] = [value] * 5
    one = made(config).simulate(values, [SOC])
    first, second = one({SOC: 30.0})[VOLTAGE], one({SOC: 70.0})[VOLTAGE]
    assert (second > first).all()


@pytest.mark.parametrize(
    ("given", "words"), [({SOC: 140.0}, "from 0 to 100"), ({INITIAL_VOLTAGE: 9.0}, "outside the voltage limits")]
)
def test_a_state_that_there_is_not_is_no_solution(given: dict[str, float], words: str) -> None:
    with pytest.raises(pybamm.SolverError, match=words):
        made(discharge()).simulate(chen2020() | given, [])
    with pytest.raises(pybamm.SolverError, match=words):
        made(discharge()).simulate(chen2020(), list(given))(given)


def test_two_states_contradict_each_other() -> None:
    with pytest.raises(JobFailed) as failed:
        made(discharge()).simulate(chen2020() | {SOC: 40.0, INITIAL_VOLTAGE: 3.7}, [])
    assert failed.value.code is JobErrorCode.MODEL_ERROR


def test_what_a_state_needs_is_told_when_it_is_missing() -> None:
    name = "Open-circuit voltage at 0% SOC [V]"
    values = {key: value for key, value in chen2020().items() if key != name}
    assert np.isfinite(answer(values)).all()
    with pytest.raises(JobFailed) as failed:
        answer(values | {SOC: 40.0})
    assert failed.value.detail == {"missing": [name]}


def test_a_circuit_has_a_state_of_its_own() -> None:
    config = discharge(model={"type": "Thevenin", "module": "equivalent_circuit"})
    values = dict(pybamm.ParameterValues("ECM_Example"))
    one = made(config)
    assert "Initial SoC" in one.parameter_names(values)
    simulate = one.simulate(values, ["Initial SoC"])
    assert (simulate({"Initial SoC": 0.8})[VOLTAGE] > simulate({"Initial SoC": 0.3})[VOLTAGE]).all()
    with pytest.raises(JobFailed):
        one.simulate(values | {SOC: 40.0}, [])
