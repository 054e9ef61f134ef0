"""Repeated times in a cycler's log are simulated as jumps of the current."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.battery.measured import CURRENT, TIME, VOLTAGE, chen2020, made, objective, rmse
from tests.battery.test_result_warnings import discharged


def simulated(columns: dict[str, Any]) -> tuple[Any, Any]:
    one = made(objective("CurrentDriven", columns, interpolant_lossless=True))
    return one, one.simulate(chen2020(), [])({})


def test_a_step_between_two_rows_of_one_time_is_a_jump() -> None:
    columns = discharged() | {TIME: [60.0 if each == 60.01 else each for each in discharged()[TIME]]}
    assert columns[TIME].count(60.0) == 2
    one, answer = simulated(columns)
    assert rmse(answer, one) < 2e-4


def test_a_coarse_clock_is_followed_to_its_resolution() -> None:
    """10 Hz logged in whole seconds: ten rows of one time, whose current is the same within each second."""
    fine = np.arange(0.0, 60.0, 0.1)
    current = np.where(fine >= 20.0, 5.0, 0.0)
    columns = {TIME: np.floor(fine).tolist(), CURRENT: current.tolist(), VOLTAGE: [4.0] * fine.size}
    _, answer = simulated(columns)
    sharp = {TIME: [0.0, 20.0, 20.001, 59.0], CURRENT: [0.0, 0.0, 5.0, 5.0], VOLTAGE: [4.0] * 4}
    _, expected = simulated(sharp)
    assert answer[VOLTAGE][-1] == pytest.approx(expected[VOLTAGE][-1], abs=2e-3)
