"""Measured data: columns of numbers in the configuration itself, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.battery.fields import Field, Path, Settings, absent, flag, is_number, options, settle, shown
from app.battery.objectives.objective import Array
from app.execution.executor import Fault

MAX_NUMBERS = 1_000_000
"""Numbers in all columns of one objective's data."""
MAX_COLUMNS = 1_000
MAX_SPAN = 1e10
"""From the first to the last value of an axis that rises: of times, some three centuries. Solvers step on for ever."""
MAX_NESTING = 4
"""Wrappers (`data`, `time_series`) around the columns."""
ELSEWHERE = "data must be in the configuration itself, as an object of columns"
WRAPPERS = ("data", "time_series")
BESIDE = {"data": {"data", "options", "time_range", "analysis", "metadata"}, "time_series": {"time_series", "steps"}}
"""What may stand beside the columns. `metadata` and `steps` are kept out of the fit."""
TRANSFORMS = {
    "sort": Field(flag, False),
    "remove_duplicates": Field(flag, False),
    **{
        name: Field(absent, None)
        for name in ("rest_to_ocp", "remove_extremes", "filters", "interpolate", "keep_first_ocp_point")
    },
}
LOADING = {
    "transforms": options(TRANSFORMS),
    **TRANSFORMS,
    **{
        name: Field(absent, None)
        for name in ("first_step", "last_step", "first_step_dict", "last_step_dict", "capacity_column")
    },
}
"""The data loader's options. What selects steps or works on open-circuit curves is refused."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an objective wants of its data: columns of finite numbers, in an order."""

    columns: Sequence[str]
    axis: str
    rising: bool = False
    distinct: bool = False
    positive: bool = False
    rows: int = 2


@dataclass(slots=True)
class _Found:
    """Columns as they came, where they are, and how they are to be loaded."""

    columns: dict[str, Any]
    path: Path
    sort: bool = False
    unique: bool = False
    window: list[float] | None = None


def measured(config: Any, path: Path, needs: Needs) -> tuple[dict[str, Array], Settings, list[Fault]]:
    """The needed columns, (n,) each, the loader's options in effect, and everything wrong with the data."""
    found, faults = _unwrapped(config, path)
    if found is None:
        return {}, {}, faults
    faults += _shape_faults(found, needs)
    if faults:
        return {}, {}, faults
    columns: dict[str, Array] = {}
    for name in needs.columns:
        column, wrong = _numbers(found.columns[name], (*found.path, name))
        columns[name] = column
        faults += wrong
    if faults:
        return {}, {}, faults
    rows = _rows(columns, found, needs)
    columns = {name: column[rows] for name, column in columns.items()}
    faults += _axis_faults(columns[needs.axis], rows, found, needs)
    loading = {"sort": found.sort, "remove_duplicates": found.unique, "time_range": found.window}
    return columns, {name: value for name, value in loading.items() if value}, faults


def _unwrapped(config: Any, path: Path) -> tuple[_Found | None, list[Fault]]:
    """The columns within their wrappers; what else is wrapped in is checked."""
    faults: list[Fault] = []
    beside: dict[str, tuple[Any, Path]] = {}
    for _ in range(MAX_NESTING):
        if isinstance(config, str):
            return None, [Fault(f"{shown(config)} is not supported: {ELSEWHERE}.", path)]
        if not isinstance(config, dict):
            return None, [Fault(f"The data must be an object of columns, not {shown(config)}.", path)]
        wrapper = next((name for name in WRAPPERS if name in config), None)
        if wrapper is None:
            break
        for name in config:
            if name not in BESIDE[wrapper]:
                faults.append(Fault(f"There is no field {shown(name)} beside `{wrapper}`.", (*path, name)))
            elif config[name] is not None:
                beside[name] = config[name], (*path, name)
        config, path = config[wrapper], (*path, wrapper)
    else:
        return None, [Fault(f"The data are wrapped more than {MAX_NESTING} times.", path)]
    if "analysis" in beside:
        faults.append(Fault(f"A stored analysis is not supported: {ELSEWHERE}.", beside["analysis"][1]))
    found = _Found(config, path)
    faults += _loading(beside, found)
    return found, faults


def _loading(beside: Mapping[str, tuple[Any, Path]], found: _Found) -> list[Fault]:
    faults: list[Fault] = []
    if "options" in beside:
        given, path = beside["options"]
        if not isinstance(given, dict):
            return [Fault(f"`options` must be an object, not {shown(given)}.", path)]
        settings, faults = settle(LOADING, given, path)
        if not faults:
            found.sort = settings["sort"] or settings["transforms"]["sort"]
            found.unique = settings["remove_duplicates"] or settings["transforms"]["remove_duplicates"]
    if "time_range" in beside:
        given, path = beside["time_range"]
        ends = [given["start"], given["end"]] if isinstance(given, dict) and set(given) == {"start", "end"} else []
        if ends and all(map(is_number, ends)) and ends[0] <= ends[1]:
            found.window = ends
        else:
            faults.append(Fault("`time_range` must be an object of `start` and `end` in seconds, in that order.", path))
    return faults


def _shape_faults(found: _Found, needs: Needs) -> list[Fault]:
    columns, path = found.columns, found.path
    if len(columns) > MAX_COLUMNS:
        return [Fault(f"The data have more than {MAX_COLUMNS} columns.", path)]
    if missing := [name for name in needs.columns if name not in columns]:
        there = ", ".join(map(shown, columns)) or "none"
        return [Fault(f"The data lack {name}; there are {there}.", (*path, name)) for name in missing]
    faults = [
        Fault(f"A column must be a list of numbers, not {shown(column)}.", (*path, name))
        for name, column in columns.items()
        if not isinstance(column, list)
    ]
    if faults:
        return faults
    lengths = {name: len(column) for name, column in columns.items()}
    if sum(lengths.values()) > MAX_NUMBERS:
        return [Fault(f"The data have more than {MAX_NUMBERS} numbers.", path)]
    rows = lengths[needs.axis]
    faults = [
        Fault(f"{name} has {length} rows, {needs.axis} has {rows}: all columns must be as long.", (*path, name))
        for name, length in lengths.items()
        if length != rows
    ]
    if rows < needs.rows:
        faults.append(Fault(f"The data need at least {needs.rows} rows; there are {rows}.", path))
    return faults


def _numbers(column: list[Any], path: Path) -> tuple[Array, list[Fault]]:
    for row, value in enumerate(column):
        if not is_number(value):
            what = "no value" if value is None else f"{shown(value)}"
            return np.empty(0), [Fault(f"A finite number must be in each row; row {row} has {what}.", (*path, row))]
    return np.array(column, dtype=float), []


def _rows(columns: Mapping[str, Array], found: _Found, needs: Needs) -> Array:
    """The rows to keep, in order."""
    axis = columns[needs.axis]
    rows = np.argsort(axis, kind="stable") if found.sort else np.arange(axis.size)
    if found.unique:
        _, first = np.unique(np.stack([column[rows] for column in columns.values()]), axis=1, return_index=True)
        rows = rows[np.sort(first)]
    if found.window is not None:
        low, high = found.window
        rows = rows[(axis[rows] >= low) & (axis[rows] <= high)]
    return rows


def _axis_faults(axis: Array, rows: Array, found: _Found, needs: Needs) -> list[Fault]:
    path = (*found.path, needs.axis)
    if axis.size < needs.rows:
        return [Fault(f"The options leave {axis.size} rows of the data; at least {needs.rows} are needed.", found.path)]
    if needs.rising and (wrong := np.flatnonzero(np.diff(axis) <= 0)).size:
        row = int(rows[wrong[0] + 1])
        before, here = axis[wrong[0] : wrong[0] + 2]
        message = f"{needs.axis} must rise from row to row; row {row} has {here:.17g} after {before:.17g}."
        return [Fault(message, (*path, row))]
    if needs.rising and not axis[-1] / 2 - axis[0] / 2 <= MAX_SPAN / 2:  # halves do not overflow
        return [Fault(f"{needs.axis} must not span more than {MAX_SPAN:g}.", (*path, int(rows[-1])))]
    if needs.positive and (wrong := np.flatnonzero(axis <= 0)).size:
        row = int(rows[wrong[0]])
        return [Fault(f"{needs.axis} must be greater than zero; row {row} has {axis[wrong[0]]:g}.", (*path, row))]
    if needs.distinct:
        _, first = np.unique(axis, return_index=True)
        if first.size < axis.size:
            row = int(rows[min(set(range(axis.size)) - set(first.tolist()))])
            return [Fault(f"{needs.axis} must differ from row to row; row {row} has one of before.", (*path, row))]
    return []
