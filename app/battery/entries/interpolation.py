"""Piecewise linear entries, smooth at their breakpoints; see `app.battery.piecewise` for names.

H(x; a, s) = (1 + tanh((x - a) / (2 s))) / 2 is a step at a, smooth over s. A function of values p at breakpoints x is

    p[0] (1 - H(x; x[0])) + sum_i line_i(x) (H(x; x[i]) - H(x; x[i+1])) + p[N-1] H(x; x[N-1])

Its weights add up to 1, and it is constant beyond the ends. Source: public guide to piecewise interpolants, which does
not state that a segment's weight is that difference. Over two variables, the rows are interpolated along the first
variable, and the results along the second: bilinear in each cell.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pybamm

from app.battery.checks.fields import Settings
from app.battery.expressions.piecewise import Grid, Line
from app.battery.functions import Inputs, Made


def smooth_step(x: Any, at: float, smoothing: float) -> Any:
    return (1 + pybamm.tanh((x - at) / (2 * smoothing))) / 2


def weights(x: Any, breakpoints: list[float], smoothing: float) -> list[Any]:
    """Return the weight of each knot at x: the terms of the formula above, collected by knot."""
    steps = [smooth_step(x, at, smoothing) for at in breakpoints]
    total = [0.0] * len(breakpoints)
    total[0], total[-1] = 1 - steps[0], steps[-1]
    for i, (left, right) in enumerate(pairwise(breakpoints)):
        inside, along = steps[i] - steps[i + 1], (x - left) / (right - left)
        total[i] += inside * (1 - along)
        total[i + 1] += inside * along
    return total


def interpolated(x: Any, breakpoints: list[float], knots: list[Any], smoothing: float) -> Any:
    return sum(knot * weight for knot, weight in zip(knots, weights(x, breakpoints, smoothing), strict=True))


def piecewise_1d(settings: Settings, inputs: Inputs) -> Made:
    """A function of one argument, the breakpoint's variable."""
    breakpoints = settings["breakpoint_values"]
    line = Line(settings["base_parameter_name"], settings["breakpoint_parameter_name"], breakpoints)

    def piecewise(x: Any) -> Any:
        if settings["formulation"] == "slopes":
            knots = line.from_slopes(pybamm.Parameter)
        else:
            knots = [pybamm.Parameter(name) for name in line.knots]
        return interpolated(x, breakpoints, knots, settings["smoothing"])

    return {line.name: piecewise}


def piecewise_2d(settings: Settings, inputs: Inputs) -> Made:
    """A function of two arguments, the variables of the first and of the second breakpoints."""
    xs, ys = settings["breakpoint1_values"], settings["breakpoint2_values"]
    variables = settings["breakpoint1_parameter_name"], settings["breakpoint2_parameter_name"]
    grid = Grid(settings["base_parameter_name"], variables, (xs, ys))

    def piecewise(x: Any, y: Any) -> Any:
        if settings["formulation"] == "slopes":
            knots = grid.from_slopes(pybamm.Parameter)
        else:
            knots = [[pybamm.Parameter(name) for name in row] for row in grid.knots]
        rows = [interpolated(x, xs, row, settings["smoothing1"]) for row in knots]
        return interpolated(y, ys, rows, settings["smoothing2"])

    return {grid.name: piecewise}
