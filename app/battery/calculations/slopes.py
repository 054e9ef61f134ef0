"""Conversion of slopes to knots; see `app.battery.piecewise`."""

from __future__ import annotations

from app.battery.checks.fields import Settings
from app.battery.expressions.piecewise import Grid, Line
from app.battery.functions import Inputs, Made


def slopes_to_knots(settings: Settings, inputs: Inputs) -> Made:
    """The value at each breakpoint. Source: public schema and API documentation, SlopesToKnots."""
    line = Line(*(settings[name] for name in ("base_parameter_name", "breakpoint_parameter_name", "breakpoint_values")))
    inputs.require(line.knots[0], *line.slopes)
    return dict(zip(line.knots, line.from_slopes(inputs.number), strict=True))


def slopes_to_knots_2d(settings: Settings, inputs: Inputs) -> Made:
    """The value at each point of a grid. Source: public schema and API documentation, SlopesToKnots2D."""
    grid = Grid(
        settings["base_parameter_name"],
        (settings["breakpoint1_parameter_name"], settings["breakpoint2_parameter_name"]),
        (settings["breakpoint1_values"], settings["breakpoint2_values"]),
    )
    inputs.require(*grid.from_slopes_needs)
    values = grid.from_slopes(inputs.number)
    return {
        name: value
        for names, row in zip(grid.knots, values, strict=True)
        for name, value in zip(names, row, strict=True)
    }
