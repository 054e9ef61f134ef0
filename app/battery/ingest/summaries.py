"""Summaries of a measurement: ranges of its columns, steps, cycles, and a preview that keeps peaks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from app.battery.ingest.columns import AXES, CURRENT, TIME, VOLTAGE, unit_of
from app.battery.ingest.errors import first_line
from app.battery.objectives.objective import Array

MAX_PREVIEW = 5_000
MAX_STEPS = 20_000
"""Maximum steps of a measurement; a current that changes its sign at random has no steps."""
Column = dict[str, list[Any]]


def describe_columns(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return name, unit, range and number of missing values of each column."""
    return [
        {
            "name": name,
            "unit": unit_of(name),
            "min": _number(frame[name].min()),
            "max": _number(frame[name].max()),
            "missing": frame[name].null_count(),
        }
        for name in frame.columns
    ]


def find_steps(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None, list[str]]:
    """Return the table with counts of steps and cycles, the steps if the table is a time series, and what was added.

    Steps are those of ionworksdata: where the file has none, a step ends where the current changes its sign.
    """
    if not {TIME, VOLTAGE, CURRENT} <= set(frame.columns) or frame.height < 2:
        return frame, None, []
    import ionworksdata

    try:
        counted, notes = _counted(frame)
        if int(counted["Step count"].n_unique()) > MAX_STEPS:
            return frame, None, [f"The current makes more than {MAX_STEPS:,} steps: none are listed."]
        charged = ionworksdata.transform.set_energy(ionworksdata.transform.set_capacity(counted))
        steps = ionworksdata.steps.summarize(charged)
    except Exception as error:  # its checks of steps and cycles are stricter than what a fit needs
        return frame, None, [f"Steps and cycles could not be found: {first_line(error)}"]
    return counted, steps, notes


def _counted(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    from ionworksdata import transform

    notes = []
    if "Step count" not in frame.columns:
        numbered = transform.set_cumulative_step_number(frame, options={"method": "current sign"})
        counted = transform.set_step_count(numbered, options={"step column": "Step number"})
        frame = frame.with_columns(counted["Step count"])
        notes.append("`Step count` was added: a step ends where the current changes its sign.")
    if "Cycle count" not in frame.columns:
        frame = transform.set_cycle_count(frame)
        notes.append("`Cycle count` was added.")
    return frame, notes


def find_cycles(steps: pl.DataFrame | None) -> pl.DataFrame | None:
    """Return capacities and efficiencies of each cycle; None without steps that have capacities."""
    if steps is None:
        return None
    from ionworksdata.cycle_metrics import get_cycle_metrics

    try:
        return get_cycle_metrics(steps)
    except Exception:  # a measurement without capacities has no such metrics
        return None


def listed(frame: pl.DataFrame | None) -> Column | None:
    """Return the columns of a table as JSON: numbers, texts and None for what is missing or not finite."""
    return None if frame is None else {name: [_json(each) for each in frame[name].to_list()] for name in frame.columns}


def preview(frame: pl.DataFrame) -> Column:
    """Return at most 5,000 rows of all columns, chosen so that peaks of the first measured column remain."""
    if frame.height > MAX_PREVIEW:
        frame = frame[_rows(frame).tolist(), :]
    return {name: [_number(each) for each in frame[name].to_list()] for name in frame.columns}


def _rows(frame: pl.DataFrame) -> Array:
    """Return the rows of the least and the greatest value of each of 2,499 stretches, and both ends."""
    axis = next((name for name in AXES if name in frame.columns), frame.columns[0])
    shown = VOLTAGE if VOLTAGE in frame.columns else next(name for name in frame.columns if name != axis)
    values = frame[shown].cast(pl.Float64).fill_null(strategy="forward").fill_null(0.0).to_numpy()
    edges = np.linspace(0, frame.height, MAX_PREVIEW // 2).astype(int)
    chosen = [
        first + extreme(values[first:last])
        for first, last in pairwise(edges.tolist())
        for extreme in (np.argmin, np.argmax)
    ]
    rows: Array = np.unique([0, *chosen, frame.height - 1])
    return rows


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
