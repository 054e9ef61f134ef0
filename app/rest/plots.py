"""Plots of an objective, made from its stored series: their panels and points.

The layout is that of the official client: a panel of data and model for each variable, then their differences. An
impedance has one panel, in the complex plane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.auth.caller import Caller
from app.database.interface import Database
from app.pipelines.budget import Budget
from app.pipelines.results.series import Asked, Wanted, charge, find_stored, read_samples

DATA, MODEL = " (data)", " (model)"
REAL, IMAGINARY = "Z_Re [Ohm]", "Z_Im [Ohm]"

Sum = tuple[tuple[int, str], ...]
"""Sum of channels, each with a factor."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve. Clients choose its style by the first word of its name."""

    name: str
    x: str
    y: Sum


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over one axis."""

    x_title: str
    y_title: str
    traces: tuple[Curve, ...]

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


def _both(x_data: str, x_model: str, sign: int, variable: str) -> tuple[Curve, Curve]:
    data, model = ((sign, variable + DATA),), ((sign, variable + MODEL),)
    return Curve("Data", x_data, data), Curve("Model", x_model, model)


def _error(axis: str, variable: str) -> Curve:
    return Curve("Error", axis, ((1, variable + MODEL), (-1, variable + DATA)))


def _error_title(variable: str) -> str:
    _, bracket, unit = variable.partition("[")
    return f"Error [{unit}" if bracket else "Error"


async def plot(
    database: Database, caller: Caller, budget: Budget, element_id: str, wanted: Wanted, index: int
) -> bytes | None:
    """The points of a panel as JSON, each of its traces windowed and thinned by itself, to `wanted.max_points`. None
    where there is none. WrongArguments, AnswerTooLarge."""
    wanted.check()
    stored = await find_stored(database, caller, budget, [Asked(element_id, wanted)])
    for series in stored.values():
        for panel in panels(series.channels)[index : index + 1]:
            needed = replace(wanted, columns=panel.channels, x_column=panel.traces[0].x)
            charge(budget, needed, series)
            samples = await read_samples(database, caller, [Asked(element_id, needed)])
            for found in samples.values():
                return await asyncio.to_thread(_encoded, found, panel, wanted)
    return None


def _encoded(samples: dict[str, bytes], panel: Panel, wanted: Wanted) -> bytes:
    """Encode the points of a panel as JSON, each trace windowed and downsampled by itself, and the range of x."""
    import numpy as np  # imported here, in a thread: a server without series does not need it

    from app.pipelines.results.downsampling import arrays, cut

    channels, traces = arrays(samples), []
    for trace in panel.traces:
        line = {"x": channels[trace.x], "y": _sum(channels, trace.y)}
        traces.append({"name": trace.name, **cut(line, "x", wanted.x_min, wanted.x_max, wanted.max_points)})
    x = np.concatenate([channels[trace.x] for trace in panel.traces])
    x = x[np.isfinite(x)]
    ends = (float(x.min()), float(x.max())) if len(x) else (None, None)
    titles = {"xaxis": {"title": {"text": panel.x_title}}, "yaxis": {"title": {"text": panel.y_title}}}
    answer = {"traces": traces, "layout": titles, "x_full_min": ends[0], "x_full_max": ends[1]}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _sum(channels: dict[str, Any], terms: Sum) -> Any:
    return sum(sign * channels[name] for sign, name in terms)
