"""Piecewise linear entries, compared with values computed by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.battery.work import entry, evaluated, made

LINE: dict[str, Any] = {
    "base_parameter_name": "D [s]",
    "breakpoint_values": [0, 0.5, 1],
    "breakpoint_parameter_name": "SOC",
}
KNOTS = {"D at SOC 0 [s]": 7.0, "D at SOC 0.5 [s]": 8.0, "D at SOC 1 [s]": 11.0}


@pytest.mark.parametrize(("x", "expected"), [(-1, 7), (0.25, 7.5), (0.75, 9.5), (2, 11)])
def test_a_line_between_knots_and_a_constant_beyond(x: float, expected: float) -> None:
    known = made(entry("PiecewiseInterpolation1D", **LINE)) | KNOTS
    assert evaluated("D [s]", known, x) == pytest.approx(expected, rel=1e-9)


def test_slopes_give_the_same_line() -> None:
    known = made(entry("PiecewiseInterpolation1D", **LINE, formulation="slopes"))
    known |= {"D at SOC 0 [s]": 7.0, "D slope from SOC 0 to 0.5 [s]": 2.0, "D slope from SOC 0.5 to 1 [s]": 6.0}
    assert evaluated("D [s]", known, 0.75) == pytest.approx(9.5, rel=1e-9)


def test_smoothing_rounds_the_step() -> None:
    known = made(entry("PiecewiseInterpolation1D", **LINE | {"smoothing": 0.1})) | KNOTS

    def step(x: float, at: float) -> float:
        return (1 + math.tanh((x - at) / 0.2)) / 2

    x, s0, s1, s2 = 0.4, step(0.4, 0), step(0.4, 0.5), step(0.4, 1)
    expected = 7 * (1 - s0) + (7 + 2 * x) * (s0 - s1) + (8 + 6 * (x - 0.5)) * (s1 - s2) + 11 * s2
    assert evaluated("D [s]", known, x) == pytest.approx(expected, rel=1e-9)


GRID: dict[str, Any] = {
    "base_parameter_name": "D [s]",
    "breakpoint1_values": [0, 1],
    "breakpoint1_parameter_name": "SOC",
    "breakpoint2_values": [273.15, 323.15],
    "breakpoint2_parameter_name": "Temperature [K]",
}
CORNERS = {
    "D at SOC 0, Temperature [K] 273.15 [s]": 1.0,
    "D at SOC 1, Temperature [K] 273.15 [s]": 3.0,
    "D at SOC 0, Temperature [K] 323.15 [s]": 6.0,
    "D at SOC 1, Temperature [K] 323.15 [s]": 13.0,
}
GRID_SLOPES = {
    "D at SOC 0, Temperature [K] 273.15 [s]": 1.0,
    "D SOC-slope from SOC 0 to 1 at Temperature [K] 273.15 [s]": 2.0,
    "D Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 0 [s]": 0.1,
    "D Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 1 [s]": 0.2,
}


@pytest.mark.parametrize(("formulation", "known"), [("knots", CORNERS), ("slopes", GRID_SLOPES)])
def test_two_variables_are_interpolated_bilinearly(formulation: str, known: dict[str, float]) -> None:
    values = made(entry("PiecewiseInterpolation2D", **GRID, formulation=formulation)) | known
    # at 0.25 and half way up: (0.75 * 1 + 0.25 * 3 + 0.75 * 6 + 0.25 * 13) / 2
    assert evaluated("D [s]", values, 0.25, 298.15) == pytest.approx(4.625, rel=1e-9)
    assert evaluated("D [s]", values, 0.5, 400.0) == pytest.approx(9.5, rel=1e-9)


def test_the_largest_grid_can_be_read_back() -> None:
    steps = [float(i) for i in range(10)]
    grid = GRID | {"breakpoint1_values": steps, "breakpoint2_values": steps}
    values = made(entry("PiecewiseInterpolation2D", **grid, formulation="slopes"))
    assert made(entry(values=values)) == values
