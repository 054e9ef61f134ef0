"""Data loader: slices, orders, thins, smooths and resamples a table, row for row as `ionworksdata` (MIT) does.

Steps are chosen first, then `time_range` narrows them; the transforms follow in a fixed order: rest_to_ocp, sort,
remove_duplicates, remove_extremes, filters, interpolate. Source: ionworksdata 0.20, DataLoader and window_rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.battery.checks.fields import Path, shown
from app.battery.objectives.data.loader_options import Options
from app.battery.objectives.objective import Array

TIME, VOLTAGE, CAPACITY, CURRENT = "Time [s]", "Voltage [V]", "Capacity [A.h]", "Current [A]"
DISCHARGE, CHARGE = "Discharge capacity [A.h]", "Charge capacity [A.h]"
STEP_COUNT = "Step count"
VOLTAGE_ALIASES = ("OCP [V]", "OCV [V]", "Open-circuit potential [V]", "Open-circuit voltage [V]")
"""Alternative names of the voltage in a table without steps."""
CAPACITY_PREFIX = "Capacity ["
WINDOW_SLACK = 1e-6
"""Tolerance of `time_range` at both ends, in seconds."""
STRAIGHT = 1e-10
"""Second derivative of voltage by capacity up to which `remove_extremes` takes a curve as straight."""


class CannotLoad(Exception):
    """An option does not fit the table; `path` leads to the option."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.message, self.path = message, path


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the steps table: the rows of the data that it spans, both ends included."""

    first: int
    last: int
    kind: Any = None
    count: Any = None


@dataclass(slots=True)
class Table:
    """Columns of numbers of one length, (n,) each, and the row of the sent data that each row came from."""

    columns: dict[str, Array]
    names: list[str]
    """All columns in the request, including those without numbers."""
    rows: Array | None
    """Row numbers in the request, (n,); None after resampling."""
    axis: str
    notes: list[str] = field(default_factory=list)
    """Messages about options with effects beyond their names, or without effect."""

    @property
    def size(self) -> int:
        return int(next(iter(self.columns.values())).size) if self.columns else 0

    def keep(self, index: Any) -> None:
        """Keep the rows of an index, mask or slice, in its order."""
        self.columns = {name: column[index] for name, column in self.columns.items()}
        if self.rows is not None:
            self.rows = self.rows[index]


def select_rows(table: Table, steps: list[Step] | None, options: Options) -> list[Step] | None:
    """Restrict the table to the selected steps and the time window. Return the steps within it, by their rows in the
    restricted table."""
    start, end = (0, table.size) if steps is None else (steps[0].first, steps[-1].last + 1)
    if options.window is None:
        keep: Any = slice(start, end)
    elif TIME not in table.columns:
        table.notes.append(f"`time_range` selects by `{TIME}`, which the data lack: it selected all rows.")
        keep = slice(start, end)
    else:
        low, high = options.window
        times = table.columns[TIME]
        inside = np.flatnonzero((times >= low - WINDOW_SLACK) & (times <= high + WINDOW_SLACK))
        inside = inside[(inside >= start) & (inside < end)]
        if not inside.size:
            covered = f"{np.nanmin(times[start:end]):g} to {np.nanmax(times[start:end]):g} s" if end > start else "none"
            raise CannotLoad(f"`time_range` selects no rows: the data cover {covered}.", options.at("time_range"))
        keep = inside
        if steps is not None:  # steps refer to rows by number: no row within the window may be dropped
            start, end = int(inside[0]), int(inside[-1]) + 1
            keep = slice(start, end)
    table.keep(keep)
    if steps is None:
        return None
    within = [step for step in steps if step.last >= start and step.first < end]
    return [Step(max(s.first, start) - start, min(s.last, end - 1) - start, s.kind, s.count) for s in within]


def name_columns(table: Table, options: Options, has_steps: bool) -> None:
    """Add voltage and capacity under the names that objectives compare."""
    if not has_steps and VOLTAGE not in table.columns:
        alias = next((name for name in VOLTAGE_ALIASES if name in table.columns), None)
        if alias is not None:
            table.columns[VOLTAGE] = table.columns[alias]
            table.names.append(VOLTAGE)
    if options.capacity is not None:
        table.columns[CAPACITY] = table.columns[options.capacity]
        if CAPACITY not in table.names:
            table.names.append(CAPACITY)


def transform(table: Table, steps: list[Step] | None, options: Options) -> None:
    """Apply the enabled transforms."""
    if options["rest_to_ocp"]:
        _rest_to_ocp(table, steps, options)
    elif options["keep_first_ocp_point"]:
        table.notes.append("`keep_first_ocp_point` has an effect with `rest_to_ocp` only: it changed nothing.")
    if options["sort"]:
        _require_rows(table, 1, "sort", options)
        _sort(table, options)
    if options["remove_duplicates"]:
        _remove_duplicates(table)
    if options["remove_extremes"]:
        _require_rows(table, 2, "remove_extremes", options)
        _remove_extremes(table, options)
    if options["filters"]:
        _filter(table, options)
    if options["interpolate"] is not None:
        _require_rows(table, 1, "interpolate", options)
        _interpolate(table, options)


def _require_rows(table: Table, least: int, name: str, options: Options) -> None:
    if table.size < least:
        raise CannotLoad(f"`{name}` needs at least {least} rows; there are {table.size}.", options.at(name))


def _require_columns(table: Table, name: str, options: Options, *columns: str) -> None:
    if missing := [each for each in columns if each not in table.columns]:
        there = ", ".join(map(shown, table.names)) or "none"
        raise CannotLoad(f"`{name}` needs {' and '.join(missing)}; there are {there}.", options.at(name))


def _is_curve(table: Table) -> bool:
    """Return whether the table holds voltage and capacity."""
    return VOLTAGE in table.columns and any(name.startswith(CAPACITY_PREFIX) for name in table.names)


def _sort(table: Table, options: Options) -> None:
    """Reverse a curve so that its voltage falls and its capacity rises from zero, and drop repeated values.

    Data without a capacity, which ionworksdata does not sort, are ordered by their axis as the public schema says.
    """
    if not _is_curve(table):
        table.keep(np.argsort(table.columns[table.axis], kind="stable"))
        return
    named = [name for name in table.names if name.startswith(CAPACITY_PREFIX)]
    if len(named) > 1:
        raise CannotLoad(f"`sort` needs one column of capacity; known are {', '.join(named)}.", options.at("sort"))
    voltage = table.columns[VOLTAGE]
    if voltage[-1] > voltage[0]:
        table.keep(slice(None, None, -1))
    capacity = table.columns[named[0]]
    if capacity[0] > capacity[-1]:
        capacity = capacity.max() - capacity
    table.columns[named[0]] = capacity - capacity.min()
    _drop_repeats(table, named[0])


def _remove_duplicates(table: Table) -> None:
    """Keep the first row of each capacity, then of each voltage. Without a capacity, keep the first of equal rows."""
    if CAPACITY in table.columns and VOLTAGE in table.columns:
        before = table.size
        _drop_repeats(table, CAPACITY)
        if table.axis == TIME and table.size < before:
            table.notes.append(
                f"`remove_duplicates` is for open-circuit curves: it dropped {before - table.size} of {before} rows "
                "because they repeat a capacity or a voltage. Leave `Capacity [A.h]` out to drop equal rows only."
            )
        return
    _, first = np.unique(np.stack(list(table.columns.values())), axis=1, return_index=True)
    table.keep(np.sort(first))


def _drop_repeats(table: Table, capacity: str) -> None:
    for name in (capacity, VOLTAGE):
        _, first = np.unique(table.columns[name], return_index=True)
        table.keep(np.sort(first))


def _remove_extremes(table: Table, options: Options) -> None:
    """Cut off both ends as far as the curve is straight there."""
    _require_columns(table, "remove_extremes", options, CAPACITY, VOLTAGE)
    capacity = table.columns[CAPACITY]
    with np.errstate(all="ignore"):
        bend = np.gradient(np.gradient(table.columns[VOLTAGE], capacity), capacity)
        bent = np.flatnonzero(np.abs(bend) > STRAIGHT)
    if not bent.size:
        raise CannotLoad("`remove_extremes` leaves nothing: the curve is straight.", options.at("remove_extremes"))
    table.keep(slice(int(bent[0]), int(bent[-1]) + 1))


def _filter(table: Table, options: Options) -> None:
    """Smooth columns by Savitzky-Golay filters."""
    from scipy.signal import savgol_filter

    for name, each in options["filters"].items():
        _require_columns(table, "filters", options, name)
        parameters = each["parameters"]
        if parameters.get("mode", "interp") == "interp" and parameters["window_length"] > table.size:
            message = f"`window_length` {parameters['window_length']} is longer than the {table.size} rows of data."
            raise CannotLoad(message, (*options.at("filters"), name, "parameters", "window_length"))
        table.columns[name] = savgol_filter(table.columns[name], **parameters)


def _interpolate(table: Table, options: Options) -> None:
    """Resample all columns at given times, or at evenly spaced times from the first row up to, excluding, the last."""
    _require_columns(table, "interpolate", options, TIME)
    times, given = table.columns[TIME], options["interpolate"]
    if np.any(np.diff(times) < 0):
        raise CannotLoad(f"`interpolate` needs {TIME} in rising order.", options.at("interpolate"))
    if isinstance(given, list):
        knots: Array = np.array(given, dtype=float)
    else:
        options.require_knots((times[-1] - times[0]) / given)
        knots = np.arange(times[0], times[-1], float(given))
    others = {name: np.interp(knots, times, each) for name, each in table.columns.items() if name != TIME}
    table.columns, table.rows = others | {TIME: knots}, None


def _rest_to_ocp(table: Table, steps: list[Step] | None, options: Options) -> None:
    """Replace the data by a curve of the last row of each rest: voltage by net capacity."""
    if steps is None:
        raise CannotLoad("`rest_to_ocp` needs `steps` beside `time_series`.", options.at("rest_to_ocp"))
    rests = [step for step in steps if step.kind == "Rest"]
    if not rests:
        message = "`rest_to_ocp` finds no step whose `Step type` is 'Rest'."
        raise CannotLoad(message, options.at("rest_to_ocp"))
    if all(step.count is not None for step in rests):
        rests.sort(key=lambda step: float(step.count))
    _require_columns(table, "rest_to_ocp", options, VOLTAGE)
    net = _net_capacity(table, options)
    first = [0] if options["keep_first_ocp_point"] else []
    rows = np.array([*first, *(step.last for step in rests)])
    rows = rows[np.argsort(net[rows], kind="stable")]
    table.keep(rows)
    table.columns = {CAPACITY: net[rows] - net[rows[0]], VOLTAGE: table.columns[VOLTAGE]}
    table.names = [CAPACITY, VOLTAGE]


def _net_capacity(table: Table, options: Options) -> Array:
    """Return discharge minus charge capacity [A.h] up to each row, (n,). A decrease is a reset at the start of a
    step."""
    columns: Mapping[str, Array] = table.columns
    if DISCHARGE in columns and CHARGE in columns:
        parts = columns[DISCHARGE], columns[CHARGE]
    else:
        _require_columns(table, "rest_to_ocp", options, CURRENT)
        starts = _step_starts(columns[STEP_COUNT]) if STEP_COUNT in columns else None
        if CAPACITY in columns:
            parts = _split(columns[CAPACITY], columns[CURRENT], starts)
        else:
            _require_columns(table, "rest_to_ocp", options, TIME)
            parts = _integrated(columns[CURRENT], columns[TIME], starts)
    discharge, charge = (np.cumsum(np.maximum(np.diff(part, prepend=0), 0)) for part in parts)
    net: Array = discharge - charge
    return net


def _step_starts(counts: Array) -> Array:
    """Return the first row of each row's step, (n,)."""
    is_start = np.concatenate(([True], np.diff(counts) != 0))
    starts: Array = np.flatnonzero(is_start)[np.cumsum(is_start) - 1]
    return starts


def _split(capacity: Array, current: Array, starts: Array | None) -> tuple[Array, Array]:
    """Split a capacity column into discharge and charge capacity by the sign of the current."""
    change = np.diff(capacity, prepend=0)
    discharge = np.cumsum(np.where(current > 0, change, 0))
    charge = np.cumsum(np.where(current < 0, np.abs(change), 0))
    if starts is None:
        return discharge, charge
    return np.abs(discharge - discharge[starts]), np.abs(charge - charge[starts])


def _integrated(current: Array, times: Array, starts: Array | None) -> tuple[Array, Array]:
    """Integrate the current to discharge and charge capacity by the trapezoidal rule, from zero in each step."""
    found = []
    for signed in (np.maximum(current, 0), np.maximum(-current, 0)):
        areas = np.diff(times) * (signed[1:] + signed[:-1]) / 2.0
        total = np.concatenate(([0.0], np.cumsum(areas))) / 3600.0
        found.append(total if starts is None else total - total[starts])
    return found[0], found[1]
