"""Downsampling of channels by minima and maxima. Imported on first use, in a thread, because it imports numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from tsdownsample import MinMaxDownsampler

Array = np.ndarray
Arrays = dict[str, Array]


def arrays(channels: dict[str, bytes]) -> Arrays:
    """Return stored channels as arrays of shape (n,); NaN marks a missing value."""
    return {name: np.frombuffer(samples, "<f8").astype(float, copy=False) for name, samples in channels.items()}


def cut(channels: Arrays, axis: str, low: float | None, high: float | None, most: int | None) -> Arrays:
    """Select the rows where the axis is between `low` and `high`, downsampled to at most `most`."""
    channels = within(channels, axis, low, high)
    if most is None:
        return channels
    others = [values for name, values in channels.items() if name != axis]
    rows = peaks(others or [channels[axis]], most)
    return {name: values[rows] for name, values in channels.items()}


def within(channels: Arrays, axis: str, low: float | None, high: float | None) -> Arrays:
    """Select the rows where the axis is between `low` and `high`, both inclusive, in any order of the axis."""
    if low is None and high is None:
        return channels
    x = channels[axis]
    inside = (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))
    return {name: values[inside] for name, values in channels.items()}


def peaks(channels: list[Array], most: int) -> Any:
    """Return at most `most` row indices, the first and the last included, that keep the minima and maxima of every
    channel in stretches of equal length. With fewer than two rows a channel and two more, the rows are evenly
    spaced."""
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
    """Yield estimates of the number of channels with peaks at rows of their own: one at best, all at worst."""
    return sorted({min(1 << n, last) for n in range(last.bit_length() + 1)})


def written(channels: Arrays) -> bytes:
    """Encode channels as JSON, null for a missing value. Channel by channel, so that other threads get the interpreter
    in between."""
    numbers = orjson.OPT_SERIALIZE_NUMPY
    parts = (orjson.dumps(name) + b":" + orjson.dumps(values, option=numbers) for name, values in channels.items())
    return b"{" + b",".join(parts) + b"}"
