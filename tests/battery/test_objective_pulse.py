"""Pulse objectives: trains of pulses and rests, as experiments and cyclers record them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pybamm
import pytest

from tests.battery.measured import CURRENT, TIME, VOLTAGE, chen2020, made, objective

DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"
SOC = "Initial SOC [%]"


@cache
def titration() -> dict[str, Any]:
    """Pulses of both signs from 90%, two samples at each jump, as PyBaMM's experiments give them."""
    steps = [
        "Discharge at 1C for 120 seconds (2 second period)",
        "Rest for 900 seconds (20 second period)",
        "Charge at C/2 for 30 seconds (1 second period)",
        "Rest for 300 seconds (20 second period)",
    ]
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.SPMe(),
        parameter_values=pybamm.ParameterValues("Chen2020"),
        experiment=pybamm.Experiment([tuple(steps)] * 3),
        solver=pybamm.IDAKLUSolver(rtol=1e-9, atol=1e-11),
    )
    solution = simulation.solve(initial_soc=0.9, calc_esoh=False)
    return {name: solution[name].data.tolist() for name in (TIME, CURRENT, VOLTAGE)}


def error(config: dict[str, Any]) -> float:
    """Return the largest difference from the data, in V."""
    one = made(config)
    answer = one.simulate(chen2020() | {SOC: 90.0}, [])({})[VOLTAGE]
    return float(np.abs(answer - one.data[VOLTAGE]).max())


def test_pulses_are_followed_through_every_jump() -> None:
    assert np.min(np.diff(titration()[TIME])) < 1e-6  # jumps
    assert error(objective("Pulse", titration(), model="SPMe")) < 1e-5


def test_a_pulse_within_a_long_rest_is_not_stepped_over() -> None:
    times = [0.0, 36000.0, 36000.001, 36010.0, 36010.001, 72000.0]
    columns = {TIME: times, CURRENT: [0.0, 0.0, 5.0, 5.0, 0.0, 0.0], VOLTAGE: [3.9] * 6}
    one = made(objective("Pulse", columns, model="SPMe"))
    answer = one.simulate(chen2020() | {SOC: 90.0}, [])({})[VOLTAGE]
    assert answer[2] < answer[1] - 0.01
    assert answer[3] < answer[2]


def test_no_tolerance_of_the_current_skips_a_jump() -> None:
    assert error(objective("Pulse", titration(), model="SPMe", interpolant_atol=100.0)) < 1e-5


def test_a_lossless_interpolant_restarts_at_every_change() -> None:
    assert error(objective("Pulse", titration(), model="SPMe", interpolant_lossless=True)) < 1e-5


def test_a_free_parameter_is_given_for_each_call() -> None:
    config = objective("Pulse", titration(), model="SPMe")
    simulate = made(config).simulate(chen2020() | {SOC: 90.0}, [DIFFUSIVITY])
    slow, fast = simulate({DIFFUSIVITY: 1e-14})[VOLTAGE], simulate({DIFFUSIVITY: 1e-13})[VOLTAGE]
    assert slow.shape == fast.shape == (len(titration()[TIME]),)
    assert np.abs(slow - fast).max() > 1e-3


@pytest.mark.parametrize("kind", ["Pulse", "CurrentDriven"])
def test_both_kinds_simulate_the_same(kind: str) -> None:
    config = objective(kind, titration(), model="SPM")
    assert made(config).kind == kind
    assert list(made(config).channels) == [TIME, CURRENT]
    assert error(config) == error(config | {"type": "Pulse"})
