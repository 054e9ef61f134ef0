"""Long channels cut down to what a plot shows. Imported on first use, in a thread: it brings numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from tsdownsample import MinMaxDownsampler

from app.plots import Panel, Sum

Array = np.ndarray
Arrays = dict[str, Array]


def arrays(channels: dict[str, bytes]) -> Arrays:
    """Stored channels as arrays, each (n,), NaN where there is no value."""
    return {name: np.frombuffer(samples, "<f8").astype(float, copy=False) for name, samples in channels.items()}


def cut(channels: Arrays, axis: str, low: float | None, high: float | None, most: int | None) -> Arrays:
    """The rows of all channels where the axis is from `low` to `high`, thinned to at most so many."""
    channels = within(channels, axis, low, high)
    if most is None:
        return channels
    others = [values for name, values in channels.items() if name != axis]
    rows = peaks(others or [channels[axis]], most)
    return {name: values[rows] for name, values in channels.items()}


def within(channels: Arrays, axis: str, low: float | None, high: float | None) -> Arrays:
    """The rows where the axis, in whatever order it runs, is from `low` to `high`, both inclusive."""
    if low is None and high is None:
        return channels
    x = channels[axis]
    inside = (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))
    return {name: values[inside] for name, values in channels.items()}


def peaks(channels: list[Array], most: int) -> Any:
    """At most so many rows, the first and the last among them, that keep what stands out in any of the channels: the
    lowest and the highest of each, in stretches of equally many rows. Where `most` is less than two rows a channel and
    two more, rows at equal distances."""
    rows = len(channels[0])
    if rows <= most:
        return slice(None)
    for different in _doublings(len(channels)):
        stretches = (most - 2) // (2 * different)
        if not stretches:
            break
        picked = [MinMaxDownsampler().downsample(each, n_out=2 * stretches).astype(np.intp) for each in channels]
        chosen = np.unique(np.concatenate([[0, rows - 1], *picked]))
        if len(chosen) <= most:
            return chosen
    return np.linspace(0, rows - 1, most).astype(np.intp)


def _doublings(last: int) -> list[int]:
    """How many channels to expect that peak at rows of their own: at best one for all, at worst every one."""
    return sorted({min(1 << n, last) for n in range(last.bit_length() + 1)})


def written(channels: Arrays) -> bytes:
    """As JSON, null where there is no value. Channel by channel, so that other threads get their turn in between."""
    numbers = orjson.OPT_SERIALIZE_NUMPY
    parts = (orjson.dumps(name) + b":" + orjson.dumps(values, option=numbers) for name, values in channels.items())
    return b"{" + b",".join(parts) + b"}"


def plot(channels: Arrays, panel: Panel, low: float | None, high: float | None, most: int | None) -> bytes:
    """The points of a panel as JSON, each trace windowed and thinned by itself; and how far x goes in all of it."""
    traces = []
    for trace in panel.traces:
        line = cut({"x": channels[trace.x], "y": _sum(channels, trace.y)}, "x", low, high, most)
        traces.append({"name": trace.name, **line})
    x = np.concatenate([channels[trace.x] for trace in panel.traces])
    x = x[np.isfinite(x)]
    ends = (float(x.min()), float(x.max())) if len(x) else (None, None)
    titles = {"xaxis": {"title": {"text": panel.x_title}}, "yaxis": {"title": {"text": panel.y_title}}}
    answer = {"traces": traces, "layout": titles, "x_full_min": ends[0], "x_full_max": ends[1]}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _sum(channels: Arrays, terms: Sum) -> Any:
    return sum(sign * channels[name] for sign, name in terms)
