"""Integration over measured currents, compared with IDAKLU with a stop at every row."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.driven import CURRENT, TIME, VOLTAGE, Driven
from app.battery.objectives.objective import Objective
from app.battery.objectives.simulation.stop_times import corners, stop_rows
from app.battery.objectives.simulation.tolerances import CHARGE
from tests.battery.currents import random_current
from tests.battery.measured import chen2020, made, objective

Array = np.ndarray
TEMPERATURE = "Volume-averaged cell temperature [K]"


def driven(times: Array, current: Array, variables: list[str], model: Any = "SPM", **options: Any) -> Objective:
    columns = {TIME: times.tolist(), CURRENT: current.tolist()} | {name: [1.0] * times.size for name in variables}
    return made(objective("CurrentDriven", columns, model=model, **{"objective variables": variables}, **options))


def every_row(times: Array, values: dict[str, Any], model: Any, variables: list[str], rtol: float) -> dict[str, Array]:
    """Solve with a stop at each row; `values` contain the current."""
    model.events = []
    solver = pybamm.IDAKLUSolver(rtol=rtol, atol=rtol / 100, output_variables=variables)
    simulation = pybamm.Simulation(model, parameter_values=pybamm.ParameterValues(values), solver=solver)
    solution = simulation.solve(times, t_interp=times)
    return {name: solution[name].data for name in variables}


def half_full() -> dict[str, Any]:
    return dict(pybamm.ParameterValues(chen2020()).set_initial_state(0.5, inplace=False))


def bell(times: Array, width: float) -> Array:
    shape: Array = np.exp(-(((times - times.mean()) / width) ** 2) / 2)
    return shape


def pulse_after_rest(step: float, width: float) -> tuple[Array, Array]:
    """Build a rest and a bell-shaped pulse that is logged every `step` seconds; other rows are 30 s apart."""
    pulse = np.arange(7000.0, 7000.0 + 12 * width, step)
    times = np.concatenate([np.arange(0.0, 7000.0, 30.0), pulse, pulse[-1] + np.arange(30.0, 7000.0, 30.0)])
    return times, 5 * np.exp(-(((times - 7000.0 - 6 * width) / width) ** 2) / 2)


@pytest.mark.parametrize(("step", "width"), [(0.1, 30.0), (1.0, 300.0)])
def test_a_smooth_pulse_after_a_rest_is_not_skipped(step: float, width: float) -> None:
    times, current = pulse_after_rest(step, width)
    answer = driven(times, current, [VOLTAGE]).simulate(chen2020(), [])({})[VOLTAGE]
    values = chen2020() | {"Current function [A]": pybamm.Interpolant(times, current, pybamm.t)}
    expected = every_row(times, values, pybamm.lithium_ion.SPM(), [VOLTAGE], 1e-8)[VOLTAGE]
    assert np.ptp(expected) > 0.02
    assert np.abs(answer - expected).max() < 1e-5


def test_a_heat_pulse_of_the_surroundings_is_not_skipped() -> None:
    times = np.arange(0.0, 14000.0, 20.0)
    heat = 298.15 + 20 * bell(times, 60.0)
    values = chen2020() | {"Ambient temperature [K]": pybamm.Interpolant(times, heat, pybamm.t)}
    model = {"type": "SPM", "options": {"thermal": "lumped"}}
    answer = driven(times, np.full(times.size, 0.01), [TEMPERATURE], model).simulate(values, [])({})[TEMPERATURE]
    known = values | {"Current function [A]": 0.01}
    reference = pybamm.lithium_ion.SPM({"thermal": "lumped"})
    expected = every_row(times, known, reference, [TEMPERATURE], 1e-8)[TEMPERATURE]
    assert np.ptp(expected) > 1.0
    assert np.abs(answer - expected).max() < 0.01


def follow(seed: int) -> None:
    """The charge is within 1e-4 of the throughput, the voltage within 20 uV of a solution that stops at each row."""
    kind, times, current = random_current(seed)
    passed = np.append(0.0, np.cumsum(np.diff(times) * (current[1:] + current[:-1]) / 2)) / 3600
    throughput = float(np.trapezoid(np.abs(current), times)) / 3600
    answer = driven(times, current, [VOLTAGE, CHARGE]).simulate(half_full(), [])({})
    values = half_full() | {"Current function [A]": pybamm.Interpolant(times, current, pybamm.t)}
    expected = every_row(times, values, pybamm.lithium_ion.SPM(), [VOLTAGE], 1e-6)[VOLTAGE]
    assert np.abs(answer[CHARGE] - passed).max() < 1e-4 * throughput, kind
    assert np.abs(answer[VOLTAGE] - expected).max() < 20e-6, kind


@pytest.mark.parametrize("seed", range(12))
def test_a_dozen_random_currents_are_followed(seed: int) -> None:
    follow(seed)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parallel
def test_many_random_currents_are_followed() -> None:
    """Follow 60 currents, or the number in the environment variable CURRENTS."""
    for seed in range(int(os.environ.get("CURRENTS", "60"))):
        follow(seed)


class TestStops:
    def test_a_smooth_current_has_some_between_its_ends(self) -> None:
        times, current = pulse_after_rest(0.1, 30.0)
        assert corners(times, current, 1e-6, 1e-4).sum() == 2
        assert 20 < stop_rows(times, current, 1e-6, 1e-4).sum() < 150

    def test_corners_are_among_them(self) -> None:
        for seed in range(40):
            _, times, current = random_current(seed)
            stops = stop_rows(times, current, 1e-6, 1e-4)
            assert not (corners(times, current, 1e-6, 1e-4) & ~stops).any()

    def test_lossless_ones_are_the_corners(self) -> None:
        times, current = pulse_after_rest(1.0, 30.0)
        assert (stop_rows(times, current, 0.0, 0.0) == corners(times, current, 0.0, 0.0)).all()

    def test_a_wave_below_the_tolerance_on_curvature_is_seen(self) -> None:
        times = np.arange(0.0, 20_000.0)
        assert stop_rows(times, np.sin(times / 500), 1e-6, 1e-4).sum() > 20

    def test_straight_stretches_need_none(self) -> None:
        times = np.arange(0.0, 1000.0)
        assert np.flatnonzero(stop_rows(times, np.interp(times, [0, 400, 999], [0, 4, 1]), 1e-6, 1e-4)).tolist() == [
            0,
            400,
            999,
        ]


def test_charge_weighs_as_much_as_passes() -> None:
    times = np.arange(0.0, 600.0, 10.0)
    current = np.where(times > 300, 0.01, 0.0)
    one = driven(times, current, [CHARGE])
    assert isinstance(one, Driven)
    passed = np.append(0.0, np.cumsum(np.diff(times) * (current[1:] + current[:-1]) / 2)) / 3600
    assert np.abs(one.simulate(half_full(), [])({})[CHARGE] - passed).max() < 1e-4 * passed[-1]
