"""The plots of an objective, made from its stored series: what is in each, and its points.

As the official client plots a fit: a panel of data and model for each variable, then their differences. An impedance is
one panel, in the complex plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DATA, MODEL = " (data)", " (model)"
REAL, IMAGINARY = "Z_Re [Ohm]", "Z_Im [Ohm]"

Sum = tuple[tuple[int, str], ...]
"""A channel or several: each is added as often as its number says."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A curve. Clients draw it by the first word of its name."""

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
        """All that it is made from."""
        return frozenset(name for each in self.traces for name in (each.x, *(name for _, name in each.y)))


def panels(channels: Sequence[str]) -> list[Panel]:
    """The panels of a series that has these channels, the axis first."""
    variables = _variables(channels)
    if REAL in variables and IMAGINARY in variables:
        return [_nyquist()]
    compared = [Panel(channels[0], each, _both(channels[0], channels[0], 1, each)) for each in variables]
    errors = [Panel(channels[0], _error_title(each), (_error(channels[0], each),)) for each in variables]
    return compared + errors


def _variables(channels: Iterable[str]) -> list[str]:
    """What there are data of, and the model's answer to them."""
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
