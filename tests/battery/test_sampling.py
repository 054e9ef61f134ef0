"""Detection of current steps with too few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.battery.objectives.sampling import sparse_steps


def pulse(step: float) -> tuple[np.ndarray, np.ndarray]:
    """600 s of rest, 600 s of current, 1,200 s of rest."""
    times = np.arange(0.0, 2400.0 + step / 2, step)
    return times, np.where((times > 600) & (times <= 1200), 5.0, 0.0)


@pytest.mark.parametrize("step", [20.0, 30.0, 60.0])
def test_steps_between_distant_rows_are_sparse(step: float) -> None:
    times, current = pulse(step)
    assert times[sparse_steps(times, current)].tolist() == [600.0, 1200.0]


@pytest.mark.parametrize("step", [0.5, 1.0, 10.0])
def test_steps_between_near_rows_are_not(step: float) -> None:
    assert sparse_steps(*pulse(step)).size == 0


def test_rows_at_the_step_itself_make_sparse_data_dense() -> None:
    times, current = pulse(30.0)
    more = np.sort(np.append(times, [600.001, 1200.001]))
    assert sparse_steps(more, np.where((more > 600) & (more <= 1200), 5.0, 0.0)).size == 0
    assert sparse_steps(times, current).size == 2


def test_a_first_row_of_rest_is_no_level() -> None:
    times: Any = np.append([0.0, 0.001], np.arange(30.0, 3600.0, 30.0))
    assert sparse_steps(times, np.where(times > 0, 5.0, 0.0)).size == 0


def test_smooth_and_constant_currents_have_no_steps() -> None:
    times = np.arange(0.0, 3600.0, 30.0)
    assert sparse_steps(times, 5 * np.sin(times / 600)).size == 0
    assert sparse_steps(times, np.full(times.size, 5.0)).size == 0
    assert sparse_steps(times, np.zeros(times.size)).size == 0


def test_a_current_without_levels_is_no_series_of_steps() -> None:
    random = np.random.default_rng(1)
    assert sparse_steps(np.arange(1000.0), random.normal(size=1000)).size < 10
