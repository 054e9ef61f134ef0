"""Measured data: columns of numbers in the configuration or of a stored measurement, checked before use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.battery.checks.fields import Path, Settings, is_number, shown, suggestion
from app.battery.objectives.data.loader import (
    CAPACITY,
    CAPACITY_PREFIX,
    CHARGE,
    CURRENT,
    DISCHARGE,
    STEP_COUNT,
    TIME,
    VOLTAGE,
    VOLTAGE_ALIASES,
    CannotLoad,
    Table,
    name_columns,
    select_rows,
    transform,
)
from app.battery.objectives.data.loader_options import STEP_OPTIONS, Options, TooManyKnots, read_options
from app.battery.objectives.data.loader_steps import chosen_steps, needs_steps
from app.battery.objectives.data.references import CannotRead, Reference, StoredColumns, unresolved, value_at
from app.battery.objectives.objective import Array
from app.execution.executor import Fault

MAX_NUMBERS = 1_000_000
"""Maximum numbers in all columns of one objective's data in the configuration."""
MAX_STORED_NUMBERS = 10_000_000
"""Maximum numbers in the columns of a stored measurement that one objective reads."""
MAX_COLUMNS = 1_000
MAX_SPAN = 1e10
"""Maximum span of a rising axis; for times, about three centuries. A solver would step without end."""
MAX_NESTING = 4
"""Maximum wrappers (`data`, `time_series`) around the columns."""
ELSEWHERE = "data must be in the configuration itself, as an object of columns, or a stored measurement, as db:ID"
WRAPPERS = ("data", "time_series")
BESIDE = {"data": {"data", "options", "time_range", "analysis", "metadata"}, "time_series": {"time_series", "steps"}}
"""Keys accepted beside the columns. `metadata` has no effect on the fit."""
MADE_OF_RESTS = (CAPACITY, VOLTAGE)
"""Columns that `rest_to_ocp` returns."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Requirements of an objective for its data: columns of finite numbers, in an order."""

    columns: Sequence[str]
    axis: str
    rising: bool = False
    distinct: bool = False
    positive: bool = False
    rows: int = 2
    repeats: bool = False
    """Whether a rising axis may repeat a value."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Loaded data: the needed columns, (n,) each, the effective loader options, and every problem."""

    columns: dict[str, Array] = field(default_factory=dict)
    options: Settings = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Messages about loader options with effects beyond their names, or without effect."""


@dataclass(slots=True)
class _Found:
    """Raw columns, their place, and the loader's options."""

    columns: dict[str, Any] | StoredColumns
    path: Path
    options: Options
    steps: Any = None
    steps_path: Path = ()


def measured(config: Any, path: Path, needs: Needs) -> Loaded:
    """Load the data of a configuration as its options say."""
    found, faults = _unwrapped(config, path)
    if found is None:
        return Loaded(faults=faults)
    faults += _shape_faults(found, needs)
    if faults:
        return Loaded(faults=faults)
    columns: dict[str, Array] = {}
    for name in _columns_read(found, needs):
        columns[name], wrong = _numbers(found.columns[name], (*found.path, name))
        faults += wrong
    if faults:
        return Loaded(faults=faults)
    table = Table(columns, list(found.columns), np.arange(len(next(iter(columns.values())))), needs.axis)
    try:
        faults = _load(table, found, needs)
    except (CannotLoad, TooManyKnots) as error:
        return Loaded(faults=[Fault(str(error), error.path)])
    if not faults:
        faults = [*_finite_faults(table, found, needs.columns), *_axis_faults(table, found, needs)]
    kept = {name: table.columns[name] for name in needs.columns} if not faults else {}
    return Loaded(kept, found.options.effective, faults, table.notes)


def _load(table: Table, found: _Found, needs: Needs) -> list[Fault]:
    """Apply the options. Faults of the selected rows are reported before the transforms."""
    steps = chosen_steps(found.steps, found.steps_path, found.options, table.size)
    within = select_rows(table, steps, found.options)
    if faults := list(_finite_faults(table, found, table.columns)):
        return faults
    name_columns(table, found.options, steps is not None)
    transform(table, within, found.options)
    missing = [name for name in needs.columns if name not in table.columns]
    there = ", ".join(map(shown, table.names))
    return [Fault(f"The data lack {name} once loaded; there are {there}.", (*found.path, name)) for name in missing]


def _unwrapped(config: Any, path: Path) -> tuple[_Found | None, list[Fault]]:
    """Return the columns inside of their wrappers, and check the wrappers."""
    faults: list[Fault] = []
    beside: dict[str, tuple[Any, Path]] = {}
    for _ in range(MAX_NESTING):
        if isinstance(config, Reference):
            return _stored(config, path, beside, faults)
        if isinstance(config, str):
            message = unresolved(config) or f"{shown(config)} is not supported: {ELSEWHERE}."
            return None, [*faults, Fault(message, path)]
        if not isinstance(config, dict):
            return None, [Fault(f"The data must be an object of columns, not {shown(config)}.", path)]
        wrapper = next((name for name in WRAPPERS if name in config), None)
        if wrapper is None:
            break
        for name in config:
            if name not in BESIDE[wrapper]:
                faults.append(Fault(f"Unknown field {shown(name)} beside `{wrapper}`.", (*path, name)))
            elif config[name] is not None:
                beside[name] = config[name], (*path, name)
        config, path = config[wrapper], (*path, wrapper)
    else:
        return None, [Fault(f"The data are wrapped more than {MAX_NESTING} times.", path)]
    if "analysis" in beside:
        faults.append(Fault(f"A stored analysis is not supported: {ELSEWHERE}.", beside["analysis"][1]))
    options, wrong = read_options(beside)
    steps, steps_path = beside.get("steps", (None, ()))
    return _Found(config, path, options, steps, steps_path), faults + wrong


def _stored(
    reference: Reference, path: Path, beside: Mapping[str, tuple[Any, Path]], faults: list[Fault]
) -> tuple[_Found | None, list[Fault]]:
    """Return the columns of a stored measurement. Its steps are found when an option needs them."""
    options, wrong = read_options(beside)
    faults = [*faults, *wrong]
    if "analysis" in beside:
        faults.append(Fault(f"A stored analysis is not supported: {ELSEWHERE}.", beside["analysis"][1]))
    faults += [
        Fault(f'`{name}` must be a row number, {{"cycle": n}} or {{"step": n}}: SQL is refused.', options.at(name))
        for name in STEP_OPTIONS
        if isinstance(options[name], str)
    ]
    try:
        columns = StoredColumns(reference)
        steps = columns.steps() if needs_steps(options) and not faults else None
    except CannotRead as error:
        return None, [*faults, Fault(str(error), path)]
    return _Found(columns, path, options, steps, path), faults


def _alias(columns: Mapping[str, Any]) -> str | None:
    """Return the column that replaces a missing voltage, if any."""
    return None if VOLTAGE in columns else next((name for name in VOLTAGE_ALIASES if name in columns), None)


def _columns_needed(found: _Found, needs: Needs) -> list[str]:
    """Return the columns that the data must contain to load the needed ones."""
    columns, options = found.columns, found.options
    named = MADE_OF_RESTS[1:] if options["rest_to_ocp"] else needs.columns
    other = {VOLTAGE: _alias(columns) or VOLTAGE, CAPACITY: options.capacity or CAPACITY}
    needed = [other.get(name, name) for name in named]
    return [*dict.fromkeys([*needed, *([options.capacity] if options.capacity else [])])]


def _columns_read(found: _Found, needs: Needs) -> list[str]:
    """Return the columns that are needed or that an option reads."""
    columns, options = found.columns, found.options
    read = _columns_needed(found, needs)
    if options["sort"] or options["remove_duplicates"] or options["remove_extremes"]:
        read += [name for name in columns if name.startswith(CAPACITY_PREFIX)]
        read += [_alias(columns) or VOLTAGE]
    if options["rest_to_ocp"]:
        read += [TIME, CURRENT, CAPACITY, DISCHARGE, CHARGE, STEP_COUNT]
    if options.window is not None or options["interpolate"] is not None:
        read.append(TIME)
    read += options["filters"] or ()
    return [name for name in dict.fromkeys(read) if name in columns]


def _shape_faults(found: _Found, needs: Needs) -> list[Fault]:
    columns, path = found.columns, found.path
    if len(columns) > MAX_COLUMNS:
        return [Fault(f"The data have more than {MAX_COLUMNS} columns.", path)]
    needed = _columns_needed(found, needs)
    if missing := [name for name in needed if name not in columns]:
        there = ", ".join(map(shown, columns)) or "none"
        return [
            Fault(f"The data lack {name}{suggestion(name, columns)}; there are {there}.", (*path, name))
            for name in missing
        ]
    if isinstance(columns, StoredColumns):
        return _stored_faults(columns, len(_columns_read(found, needs)), path, needs)
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
    axis = needs.axis if needs.axis in columns else needed[0]
    rows = lengths[axis]
    faults = [
        Fault(f"{name} has {length} rows, {axis} has {rows}: all columns must be as long.", (*path, name))
        for name, length in lengths.items()
        if length != rows
    ]
    if rows < needs.rows:
        faults.append(Fault(f"The data need at least {needs.rows} rows; there are {rows}.", path))
    return faults


def _stored_faults(columns: StoredColumns, read: int, path: Path, needs: Needs) -> list[Fault]:
    if columns.rows * read > MAX_STORED_NUMBERS:
        message = f"{columns.rows:,} rows of {read} columns are more than {MAX_STORED_NUMBERS:,} numbers: upload fewer."
        return [Fault(message, path)]
    if columns.rows < needs.rows:
        return [Fault(f"The data need at least {needs.rows} rows; there are {columns.rows}.", path)]
    return []


def _numbers(column: list[Any] | Array, path: Path) -> tuple[Array, list[Fault]]:
    """Return the numbers of a column, with NaN for missing ones: the options may drop such rows."""
    if isinstance(column, np.ndarray):
        return column.copy(), []
    found = np.empty(len(column))
    for row, value in enumerate(column):
        if is_number(value):
            found[row] = value
        elif value is None or (isinstance(value, float) and not math.isfinite(value)):
            found[row] = math.nan
        else:
            return found, [Fault(_unfit(value, row), (*path, row))]
    return found, []


def _unfit(value: Any, row: int) -> str:
    given = "no value" if value is None else shown(value)
    return f"A finite number must be in each row; row {row} has {given}."


def _finite_faults(table: Table, found: _Found, names: Sequence[str] | Mapping[str, Array]) -> Iterator[Fault]:
    """Yield a fault for the first row of each column without a finite number, with its path in the request."""
    for name in names:
        wrong = np.flatnonzero(~np.isfinite(table.columns[name]))
        if not wrong.size:
            continue
        if table.rows is None or name not in found.columns:
            yield Fault(f"{name} is not finite once loaded.", (*found.path, name))
        else:
            row = int(table.rows[wrong[0]])
            value = value_at(found.columns[name], row)
            finite = f"{name} is not finite once loaded; row {row} had {shown(value)}."
            yield Fault(finite if is_number(value) else _unfit(value, row), (*found.path, name, row))


def _axis_faults(table: Table, found: _Found, needs: Needs) -> list[Fault]:
    axis, path = table.columns[needs.axis], (*found.path, needs.axis)
    rows = np.arange(axis.size) if table.rows is None else table.rows
    if axis.size < needs.rows:
        return [Fault(f"The options leave {axis.size} rows of the data; at least {needs.rows} are needed.", found.path)]
    steps = np.diff(axis)
    if needs.rising and (wrong := np.flatnonzero(steps < 0 if needs.repeats else steps <= 0)).size:
        row = int(rows[wrong[0] + 1])
        before, here = axis[wrong[0] : wrong[0] + 2]
        word = "not fall" if needs.repeats else "rise"
        message = f"{needs.axis} must {word} from row to row; row {row} has {here:.17g} after {before:.17g}."
        return [Fault(message, (*path, row))]
    if needs.rising and not axis[-1] > axis[0]:
        return [Fault(f"{needs.axis} is the same in all rows.", path)]
    if needs.rising and not axis[-1] / 2 - axis[0] / 2 <= MAX_SPAN / 2:  # half of each, against overflow
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
