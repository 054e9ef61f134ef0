"""Piecewise linear functions given by their values at breakpoints (knots), or by a first value and slopes.

The names and the step from slopes to knots, y[i+1] = y[i] + slope[i] (x[i+1] - x[i]), are those of SlopesToKnots and
SlopesToKnots2D in the public API documentation. Values may be numbers or PyBaMM symbols.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.battery.checks.fields import PRECISION
from app.battery.expressions.parameter_names import at_breakpoint, split_unit

Lookup = Callable[[str], Any]
"""Returns the value of a parameter by name."""


def knots_from_slopes(first: Any, slopes: list[Any], breakpoints: list[float]) -> list[Any]:
    """Return the value at each breakpoint."""
    knots = [first]
    for slope, (left, right) in zip(slopes, pairwise(breakpoints), strict=True):
        knots.append(knots[-1] + slope * (right - left))
    return knots


@dataclass(frozen=True, slots=True)
class Line:
    """Parameter names along one variable."""

    name: str
    variable: str
    breakpoints: list[float]

    @property
    def knots(self) -> list[str]:
        stem, unit = split_unit(self.name)
        return [f"{stem} at {at_breakpoint(self.variable, x)}{unit}" for x in self.breakpoints]

    @property
    def slopes(self) -> list[str]:
        stem, unit = split_unit(self.name)
        return [
            f"{stem} slope from {at_breakpoint(self.variable, left)} to {right:.{PRECISION}g}{unit}"
            for left, right in pairwise(self.breakpoints)
        ]

    def from_slopes(self, lookup: Lookup) -> list[Any]:
        return knots_from_slopes(lookup(self.knots[0]), [lookup(name) for name in self.slopes], self.breakpoints)


@dataclass(frozen=True, slots=True)
class Grid:
    """Parameter names over two variables. Rows run along the second, columns along the first."""

    name: str
    variables: tuple[str, str]
    breakpoints: tuple[list[float], list[float]]

    @property
    def knots(self) -> list[list[str]]:
        stem, unit = split_unit(self.name)
        first, second = self.variables
        return [
            [f"{stem} at {at_breakpoint(first, x)}, {at_breakpoint(second, y)}{unit}" for x in self.breakpoints[0]]
            for y in self.breakpoints[1]
        ]

    def slopes(self, along: int, across: float) -> list[str]:
        """Return the names of the slopes along one variable where the other is `across`."""
        stem, unit = split_unit(self.name)
        variable, other, steps = self.variables[along], self.variables[1 - along], self.breakpoints[along]
        return [
            f"{stem} {variable}-slope from {at_breakpoint(variable, left)} to {right:.{PRECISION}g} "
            f"at {at_breakpoint(other, across)}{unit}"
            for left, right in pairwise(steps)
        ]

    @property
    def from_slopes_needs(self) -> list[str]:
        """Return the names that `from_slopes` looks up."""
        columns = [name for x in self.breakpoints[0] for name in self.slopes(1, x)]
        return [self.knots[0][0], *self.slopes(0, self.breakpoints[1][0]), *columns]

    def from_slopes(self, lookup: Lookup) -> list[list[Any]]:
        """Compute the first row from the slopes along the first variable, then each column along the second."""
        xs, ys = self.breakpoints
        row = knots_from_slopes(lookup(self.knots[0][0]), [lookup(name) for name in self.slopes(0, ys[0])], xs)
        columns = [
            knots_from_slopes(top, [lookup(name) for name in self.slopes(1, x)], ys)
            for top, x in zip(row, xs, strict=True)
        ]
        return [list(values) for values in zip(*columns, strict=True)]
