"""Plots of an objective, made from its stored series: their panels and points.

The layout is that of the official client: a panel of data and model for each variable, then their differences. An
impedance has one panel, in the complex plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DATA, MODEL = " (data)", " (model)"
REAL, IMAGINARY = "Z_Re [Ohm]", "Z_Im [Ohm]"

Sum = tuple[tuple[int, str], ...]
"""Sum of channels, each with a factor."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A curve. Clients choose its style by the first word of its name."""

    name: str
    x: str
    y: Sum


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over one axis."""

    x_title: str
    y_title: str
    traces: tuple[Trace, ...]

    @property
    def channels(self) -> frozenset[str]:
        """Channels that the panel needs."""
        return frozenset(name for each in self.traces for name in (each.x, *(name for _, name in each.y)))


def panels(channels: Sequence[str]) -> list[Panel]:
    """Return the panels of a series with these channels, the axis first."""
    variables = _variables(channels)
    if REAL in variables and IMAGINARY in variables:
        return [_nyquist()]
    compared = [Panel(channels[0], each, _both(channels[0], channels[0], 1, each)) for each in variables]
    errors = [Panel(channels[0], _error_title(each), (_error(channels[0], each),)) for each in variables]
    return compared + errors


def _variables(channels: Iterable[str]) -> list[str]:
    """Return the variables with both data and model."""
    stems = [name.removesuffix(DATA) for name in channels if name.endswith(DATA)]
    return [stem for stem in stems if stem + MODEL in channels]


def _nyquist() -> Panel:
    return Panel(REAL, f"-{IMAGINARY}", _both(REAL + DATA, REAL + MODEL, -1, IMAGINARY))


def _both(x_data: str, x_model: str, sign: int, variable: str) -> tuple[Trace, Trace]:
    data, model = ((sign, variable + DATA),), ((sign, variable + MODEL),)
    return Trace("Data", x_data, data), Trace("Model", x_model, model)


def _error(axis: str, variable: str) -> Trace:
    return Trace("Error", axis, ((1, variable + MODEL), (-1, variable + DATA)))


def _error_title(variable: str) -> str:
    _, bracket, unit = variable.partition("[")
    return f"Error [{unit}" if bracket else "Error"
