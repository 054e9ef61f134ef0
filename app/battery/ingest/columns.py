"""Columns of measurements: names and units by the documented convention, checks of their numbers, and the sign of the
current. Each change is reported.

The convention is that of Ionworks: `Time [s]`, `Voltage [V]`, `Current [A]` (positive discharges),
`Temperature [degC]`, `Discharge capacity [A.h]`, `Frequency [Hz]`, `Z_Re [Ohm]`, `Step count`. A name by it is never
changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import polars as pl

from app.battery.checks.fields import shown
from app.battery.ingest.errors import IngestError
from app.battery.warnings.objective_warnings import has_wrong_sign

TIME, VOLTAGE, CURRENT, FREQUENCY = "Time [s]", "Voltage [V]", "Current [A]", "Frequency [Hz]"
TEMPERATURE = "Temperature [degC]"
AXES = (TIME, "Capacity [A.h]", "Stoichiometry", "SOC", FREQUENCY, "Temperature [K]", TEMPERATURE)
"""Columns over which others are measured."""
COMPLETE = (TIME, VOLTAGE, CURRENT)
"""Columns that must hold a number in each row of a time series."""
Scale = tuple[str, float, float]
"""Unit by the convention, factor and offset of a unit."""
UNITS: dict[str, Scale] = {
    "s": ("s", 1, 0), "sec": ("s", 1, 0), "ms": ("s", 1e-3, 0), "min": ("s", 60, 0), "h": ("s", 3600, 0),
    "hr": ("s", 3600, 0), "v": ("V", 1, 0), "mv": ("V", 1e-3, 0), "a": ("A", 1, 0), "ma": ("A", 1e-3, 0),
    "ua": ("A", 1e-6, 0), "degc": ("degC", 1, 0), "°c": ("degC", 1, 0), "�c": ("degC", 1, 0), "c": ("degC", 1, 0),
    "k": ("degC", 1, -273.15), "a.h": ("A.h", 1, 0), "ah": ("A.h", 1, 0), "ma.h": ("A.h", 1e-3, 0),
    "mah": ("A.h", 1e-3, 0), "w.h": ("W.h", 1, 0), "wh": ("W.h", 1, 0), "mw.h": ("W.h", 1e-3, 0),
    "mwh": ("W.h", 1e-3, 0), "hz": ("Hz", 1, 0), "khz": ("Hz", 1e3, 0), "mhz": ("Hz", 1e-3, 0),
    "ohm": ("Ohm", 1, 0), "ohms": ("Ohm", 1, 0), "ω": ("Ohm", 1, 0), "mohm": ("Ohm", 1e-3, 0),
    "mω": ("Ohm", 1e-3, 0), "w": ("W", 1, 0), "mw": ("W", 1e-3, 0),
    **dict.fromkeys(("second", "seconds"), ("s", 1, 0)), **dict.fromkeys(("minute", "minutes"), ("s", 60, 0)),
    **dict.fromkeys(("hour", "hours", "hrs"), ("s", 3600, 0)), **dict.fromkeys(("d", "day", "days"), ("s", 86400, 0)),
    **dict.fromkeys(("volt", "volts"), ("V", 1, 0)), **dict.fromkeys(("millivolt", "millivolts"), ("V", 1e-3, 0)),
    **dict.fromkeys(("amp", "amps", "ampere", "amperes"), ("A", 1, 0)),
    **dict.fromkeys(("milliamp", "milliamps", "milliampere", "milliamperes"), ("A", 1e-3, 0)),
}  # fmt: skip
"""Units in lower case. `MHz` is told from `mHz` by its case."""
QUANTITIES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("time", "t", "testtime", "elapsedtime", "totaltime"), ("Time", "s")),
    **dict.fromkeys(("voltage", "v", "u", "potential", "ecell", "ewe", "terminalvoltage"), ("Voltage", "V")),
    **dict.fromkeys(("current", "i"), ("Current", "A")),
    **dict.fromkeys(("temperature", "temp", "celltemperature"), ("Temperature", "degC")),
    **dict.fromkeys(("capacity", "q"), ("Capacity", "A.h")),
    **dict.fromkeys(("dischargecapacity", "dischgcap", "dchgcap"), ("Discharge capacity", "A.h")),
    **dict.fromkeys(("chargecapacity", "chgcap"), ("Charge capacity", "A.h")),
    **dict.fromkeys(("dischargeenergy", "dchgenergy"), ("Discharge energy", "W.h")),
    **dict.fromkeys(("chargeenergy", "chgenergy"), ("Charge energy", "W.h")),
    **dict.fromkeys(("frequency", "freq"), ("Frequency", "Hz")),
    **dict.fromkeys(("zre", "rez", "zreal"), ("Z_Re", "Ohm")),
    **dict.fromkeys(("zim", "imz", "zimag"), ("Z_Im", "Ohm")),
    "power": ("Power", "W"),
}
"""Quantity and unit of the convention, by name without case, spaces and marks."""
LEFT_OUT = "the column was left out."
"""End of the notes about columns that hold no numbers."""
COUNTS = ("Step count", "Cycle count", "Step number")
LARGEST_COUNT = 2**53
NAMES = {name.lower(): name for name in ("Stoichiometry", "SOC", *COUNTS)}
BRACKETED = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]\s*")
SEPARATED = re.compile(r"(?P<name>.*?)\s*(?:/|_|,)\s*(?P<unit>[^\s/_,]+)")
UNIT = re.compile(r"\[([^\]]*)\]$")


def split_name(name: str) -> tuple[str, str | None]:
    """Split `Voltage (mV)`, `Ewe/V` or `current_A` into a quantity and its unit, if it states one."""
    for pattern in (BRACKETED, SEPARATED):
        if (match := pattern.fullmatch(name.strip())) and (pattern is BRACKETED or _scale(match["unit"])):
            return match["name"], match["unit"].strip()
    return name.strip(), None


def unit_of(name: str) -> str | None:
    """Return the unit of a column named by the convention."""
    match = UNIT.search(name)
    return match.group(1) if match else None


def is_time(name: str) -> bool:
    """Return whether a header names a time, whatever its unit."""
    return QUANTITIES.get(_key(split_name(name)[0])) == ("Time", "s")


def in_seconds(name: str) -> str:
    """Return the header of a time with the unit s."""
    return f"{split_name(name)[0]} [s]"


def with_unit(name: str, unit: str) -> str:
    unit = unit.strip("[]()")
    return f"{name} [{unit}]" if unit and split_name(name)[1] is None else name


def is_quantity(name: str) -> bool:
    """Return whether a header names a known quantity, or states a known unit."""
    quantity, unit = split_name(name)
    return _key(quantity) in QUANTITIES or (unit is not None and _scale(unit) is not None)


def name_columns(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Give columns their names and units by the convention. Raises IngestError if two columns have one meaning."""
    found = {name: _converted(name, frame.columns) for name in frame.columns}
    for target, count in Counter(target for target, *_ in found.values()).items():
        if count > 1:
            named = " and ".join(f"`{name}`" for name, each in found.items() if each[0] == target)
            raise IngestError(f"{named} both are `{target}`. Leave all but one out, or rename them.")
    notes, columns = [], []
    for name, (target, factor, offset, note) in found.items():
        column = frame[name]
        if (factor, offset) != (1, 0):
            column = column.cast(pl.Float64) * factor + offset
        columns.append(column.alias(target))
        notes += [note] if note else []
    return pl.DataFrame(columns), notes


def _converted(name: str, columns: list[str]) -> tuple[str, float, float, str | None]:
    """Return the name by the convention, factor and offset, and the change; the name itself if it is not known."""
    if "\n" in name or len(name) > 200:
        raise IngestError(f"The name of a column must be one line of at most 200 characters, not {shown(name)}.")
    quantity, unit = split_name(name)
    known = QUANTITIES.get(_key(quantity))
    if known is None:
        target = NAMES.get(name.strip().lower(), name)
        return target, 1, 0, None if target == name else f"`{name}` is `{target}`."
    target = f"{known[0]} [{known[1]}]"
    if name == target or target in columns:  # a column by the convention wins: the other one stays as it is
        return name, 1, 0, None
    if unit is None:
        return target, 1, 0, f"`{name}` is `{target}`: it states no unit."
    scale = _scale(unit)
    if scale is None or scale[0] != known[1]:
        return name, 1, 0, None
    if name == "Temperature [K]" and TIME not in columns:
        return name, 1, 0, None
    _, factor, offset = scale
    inverse = -1.0 if quantity.strip().startswith("-") else 1.0
    change = "" if factor * inverse == 1 else f", times {factor * inverse:g}"
    change += f", plus {offset:g}" if offset else ""
    return target, factor * inverse, offset, f"`{name}` is `{target}`{change}."


def _key(quantity: str) -> str:
    return re.sub(r"[^a-z]", "", quantity.lower())


def _scale(unit: str) -> Scale | None:
    unit = unit.strip()
    return ("Hz", 1e6, 0) if unit == "MHz" else UNITS.get(unit.lower().replace("·", ".").replace("*", "."))


def require_numbers(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return the columns as finite numbers or missing values; leave columns of text out. Raises IngestError with the
    first wrong place."""
    columns, notes = [], []
    for name in frame.columns:
        column = frame[name]
        if not column.dtype.is_numeric():
            if is_quantity(name):
                raise IngestError(f"`{name}` must hold numbers; its type is {column.dtype}. Convert it.")
            notes.append(f"`{name}` holds {column.dtype}, no numbers; {LEFT_OUT}")
        elif column.dtype.is_integer() and column.dtype != pl.UInt64:
            columns.append(column.cast(pl.Int64))
        else:
            columns.append(_finite(column.cast(pl.Float64).fill_nan(None)))
    return pl.DataFrame(columns), notes


def _finite(numbers: pl.Series) -> pl.Series:
    """Return finite numbers; counts of steps and cycles as integers. Raises IngestError."""
    if numbers.is_infinite().any():
        row = int(numbers.is_infinite().fill_null(False).arg_max() or 0)
        raise IngestError(f"`{numbers.name}` must hold finite numbers; row {row} has {numbers[row]}.")
    if numbers.name in COUNTS and not numbers.null_count() and (numbers.round() == numbers).all():
        return numbers.cast(pl.Int64, strict=False) if numbers.abs().max() < LARGEST_COUNT else numbers
    return numbers


def require_table(frame: pl.DataFrame, notes: Iterable[str] = ()) -> None:
    """Raise IngestError for a table that no objective or calculation can read: without axis, columns or numbers. Notes
    about columns that were left out tell why an axis is missing."""
    there = ", ".join(f"`{name}`" for name in frame.columns) or "none"
    if frame.height < 1:
        raise IngestError("The file has a header, but no rows of numbers.")
    if not any(name in frame.columns for name in AXES) or frame.width < 2:
        needed = ", ".join(f"`{name}`" for name in AXES)
        left_out = "".join(f" {note}" for note in notes if note.endswith(LEFT_OUT))
        raise IngestError(f"One column must be {needed}, with another beside it; there are {there}.{left_out}")
    if FREQUENCY in frame.columns:
        return
    for name in COMPLETE:
        if name in frame.columns and (missing := frame[name].null_count()):
            row = int(frame[name].is_null().arg_max() or 0)
            raise IngestError(f"`{name}` must hold a number in each row; row {row} has none, {missing:,} rows in all.")


def find_falling_time(frame: pl.DataFrame) -> list[str]:
    """Return a note about a time that falls, which no fit takes."""
    if TIME not in frame.columns or FREQUENCY in frame.columns:
        return []
    times = frame[TIME].cast(pl.Float64).to_numpy()
    falls = np.flatnonzero(np.diff(times) < 0)
    if not len(falls):
        return []
    row, more = int(falls[0]) + 1, f", and {len(falls) - 1:,} more times" if len(falls) > 1 else ""
    fall = f"from {times[row - 1]:g} to {times[row]:g}"
    return [f"`{TIME}` falls in row {row}, {fall}{more}: fits and validations need a time that never falls."]


def orient_current(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Reverse the current if the voltage answers as if positive current charged the cell."""
    if not set(COMPLETE) <= set(frame.columns) or FREQUENCY in frame.columns:
        return frame, []
    times, voltage, current = (frame[name].cast(pl.Float64).to_numpy() for name in COMPLETE)
    if not has_wrong_sign(times, current, voltage):
        return frame, _unsigned(times, current, voltage)
    note = f"`{CURRENT}` was reversed: the voltage rises with it, and positive current discharges by the convention."
    reversed_ = pl.Series(CURRENT, 0.0 - current)  # by NumPy: Polars makes a negation of it, and rests become -0.0
    return frame.with_columns(reversed_), [note]


def _unsigned(times: np.ndarray, current: np.ndarray, voltage: np.ndarray) -> list[str]:
    """Return a note about a current that never changes its sign while the voltage both rises and falls under it."""
    flows = np.abs(current) > 0.01 * np.abs(current).max(initial=0.0)
    if not flows.any() or (np.any(current[flows] > 0) and np.any(current[flows] < 0)):
        return []
    change = np.diff(voltage)[flows[1:] & flows[:-1]]
    spread = float(np.ptp(voltage))
    if spread and min(change[change > 0].sum(), -change[change < 0].sum()) > 0.5 * spread:
        return [f"`{CURRENT}` never changes its sign, but the voltage both rises and falls: check the sign."]
    return []
