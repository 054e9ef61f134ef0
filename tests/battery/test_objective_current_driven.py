"""CurrentDriven: the measured current drives the model, to the accuracy of the data."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.simulation.stop_times import corners
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests.battery.measured import (
    CURRENT,
    REFERENCE,
    TIME,
    TRUTH,
    VOLTAGE,
    chen2020,
    discharge,
    half_discharge,
    known_values,
    made,
    objective,
    rmse,
)

DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"
RADIUS, THICKNESS = "Negative particle radius [m]", "Negative electrode thickness [m]"


def bare(values: dict[str, Any], config: dict[str, Any], current: Any, model: str = "SPMe") -> Any:
    """Return PyBaMM's voltage at tight tolerances."""
    columns = config["data"]["data"]
    times = np.array(columns[TIME])
    built = getattr(pybamm.lithium_ion, model)()
    built.events = []
    known = pybamm.ParameterValues(values | {"Current function [A]": current})
    solver = pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-11)
    simulation = pybamm.Simulation(built, parameter_values=known, solver=solver)
    return simulation.solve(times - times[0], t_interp=times - times[0])[VOLTAGE].data


@pytest.mark.parametrize("name", ["b_current_driven_fit_validation", "b2_current_driven_live_model"])
def test_the_true_parameters_reproduce_the_data(name: str) -> None:
    one = made(half_discharge(name))
    assert rmse(one.simulate(known_values(), [REFERENCE])({REFERENCE: TRUTH}), one) < 1e-5


def test_a_free_parameter_counts_as_a_fixed_one() -> None:
    one = made(half_discharge())
    free = one.simulate(known_values(), [REFERENCE])
    for value in (1.0, 3.0, 1.0):
        fixed = one.simulate(known_values() | {REFERENCE: value}, [])
        assert np.abs(free({REFERENCE: value})[VOLTAGE] - fixed({})[VOLTAGE]).max() < 1e-9


def test_a_fit_crosses_the_voltage_limits() -> None:
    config = half_discharge()
    values = known_values() | {"Lower voltage cut-off [V]": 4.0, REFERENCE: TRUTH}
    assert rmse(made(config).simulate(values, [])({}), made(config)) < 1e-5


def test_a_changing_current_is_followed() -> None:
    times = np.arange(0.0, 600.0, 10.0)
    current = np.where((times > 100) & (times < 300), 5.0, 0.0) + 2 * np.sin(times / 60)
    config = objective(
        "CurrentDriven",
        {TIME: times.tolist(), CURRENT: current.tolist(), VOLTAGE: [3.9] * times.size},
        model="SPMe",
    )
    answer = made(config).simulate(chen2020(), [])({})[VOLTAGE]
    expected = bare(chen2020(), config, pybamm.Interpolant(times, current, pybamm.t))
    assert np.abs(answer - expected).max() < 1e-5


def test_data_may_begin_at_any_time() -> None:
    config = half_discharge()
    columns = config["data"]["data"]
    later = columns | {TIME: [5000.0 + at for at in columns[TIME]]}
    one, shifted = made(config), made(config | {"data": {"data": later}})
    values = known_values() | {REFERENCE: TRUTH}
    assert np.abs(one.simulate(values, [])({})[VOLTAGE] - shifted.simulate(values, [])({})[VOLTAGE]).max() < 1e-9
    assert shifted.channels[TIME][0] == 5000.0


def test_other_variables_are_compared() -> None:
    columns = half_discharge()["data"]["data"]
    name = "Discharge capacity [A.h]"
    passed = [2.5 * at / 3600 for at in columns[TIME]]
    config = objective("CurrentDriven", columns | {name: passed}, **{"objective variables": [name, VOLTAGE]})
    answer = made(config).simulate(chen2020(), [])({})
    assert list(answer) == [name, VOLTAGE]
    assert np.abs(answer[name] - passed).max() < 1e-9


def test_own_parameters_win_over_all_others() -> None:
    config = half_discharge() | {"parameters": {REFERENCE: TRUTH}}
    one = made(config)
    assert REFERENCE not in one.parameter_names(known_values())
    assert rmse(one.simulate(known_values() | {REFERENCE: 1.0}, [])({}), one) < 1e-5
    assert rmse(one.simulate(known_values(), [REFERENCE])({REFERENCE: 1.0}), one) < 1e-5


def test_mesh_points_are_those_asked_for() -> None:
    coarse = made(half_discharge() | {"options": {"model": "SPMe", "simulation_kwargs": {"var_pts": {"r_n": 5}}}})
    values = known_values() | {REFERENCE: TRUTH}
    assert 1e-5 < rmse(coarse.simulate(values, [])({}), coarse) < 1e-2


class TestLengths:
    """PyBaMM's plain meshes take no inputs."""

    @pytest.mark.parametrize("model", ["SPMe", "DFN"])
    @pytest.mark.parametrize(("name", "value"), [(RADIUS, 5e-6), (THICKNESS, 8e-5)])
    def test_may_be_free(self, model: str, name: str, value: float) -> None:
        config = discharge(model=model)
        free = made(config).simulate(chen2020(), [name])
        fixed = made(config).simulate(chen2020() | {name: value}, [])
        free({name: 0.9 * value})
        assert np.abs(free({name: value})[VOLTAGE] - fixed({})[VOLTAGE]).max() < 1e-6

    def test_may_be_free_together_with_others(self) -> None:
        point = {RADIUS: 5e-6, THICKNESS: 8e-5, DIFFUSIVITY: 4e-14}
        config = discharge(model="SPMe")
        free = made(config).simulate(chen2020(), list(point))
        fixed = made(config).simulate(chen2020() | point, [])
        assert np.abs(free(point)[VOLTAGE] - fixed({})[VOLTAGE]).max() < 1e-6


class TestCorners:
    def test_are_where_a_current_jumps(self) -> None:
        times = np.arange(6.0)
        current = np.array([0.0, 0.0, 5.0, 5.0, 0.0, 0.0])
        assert corners(times, current, 1e-6, 1e-4).tolist() == [True, True, True, True, True, True]

    def test_are_not_within_rests_ramps_and_noise(self) -> None:
        times = np.array([0.0, 1.0, 3.0, 4.0, 10.0, 11.0])
        assert corners(times, 2 * times, 0.0, 0.0).tolist() == [True, False, False, False, False, True]
        noise = np.array([0.0, 1e-7, 0.0, 1e-7, 0.0, 0.0])
        assert corners(times, 5 + noise, 1e-6, 1e-4).tolist() == [True, False, False, False, False, True]


class TestFailures:
    def test_all_missing_parameters_are_told(self) -> None:
        values = {name: value for name, value in known_values().items() if name not in (DIFFUSIVITY, RADIUS)}
        with pytest.raises(JobFailed) as failed:
            made(half_discharge()).simulate(values, [])
        assert failed.value.code is JobErrorCode.MODEL_ERROR
        assert failed.value.detail == {"missing": sorted([DIFFUSIVITY, RADIUS, REFERENCE])}

    def test_a_text_is_no_value(self) -> None:
        with pytest.raises(JobFailed) as failed:
            made(discharge()).simulate(chen2020() | {DIFFUSIVITY: "fast"}, [])
        assert failed.value.detail == {"missing": [DIFFUSIVITY]}

    def test_a_point_without_a_solution_is_no_failure_of_the_model(self) -> None:
        simulate = made(half_discharge()).simulate(known_values() | {REFERENCE: TRUTH}, [DIFFUSIVITY])
        with pytest.raises(pybamm.SolverError):
            simulate({DIFFUSIVITY: -1e-14})
        assert np.isfinite(simulate({DIFFUSIVITY: 3.3e-14})[VOLTAGE]).all()

    def test_values_that_do_not_fit_the_model_are_told(self) -> None:
        with pytest.raises(JobFailed) as failed:
            made(discharge()).simulate(chen2020() | {DIFFUSIVITY: [1.0, 2.0]}, [])
        assert failed.value.code is JobErrorCode.MODEL_ERROR


class TestParameterNames:
    def test_are_found_through_functions_of_functions(self) -> None:
        names = made(half_discharge()).parameter_names(known_values())
        assert {REFERENCE, "Reference temperature [K]", "Negative electrode OCP [V]", DIFFUSIVITY, RADIUS} <= names
        assert "Negative electrode reaction activation energy [J.mol-1]" in names

    def test_are_found_through_links(self) -> None:
        linked = chen2020() | {DIFFUSIVITY: 2 * pybamm.Parameter("base")}
        assert "base" in made(discharge()).parameter_names(linked)
        assert "base" not in made(discharge()).parameter_names(chen2020())

    def test_have_no_arguments_of_functions_among_them(self) -> None:
        assert not {"sto", "c_e", "T"} & made(half_discharge()).parameter_names(known_values())

    def test_are_only_those_that_the_equations_read(self) -> None:
        names = made(half_discharge()).parameter_names(known_values())
        assert not {"Typical current [A]", "SEI resistivity [Ohm.m]", "Current function [A]"} & names

    def test_need_no_values(self) -> None:
        assert REFERENCE not in made(half_discharge()).parameter_names({})

    def test_are_found_quickly(self) -> None:
        one = made(discharge(model="DFN"))
        before = time.process_time()
        one.parameter_names(known_values())
        assert time.process_time() - before < 0.5
