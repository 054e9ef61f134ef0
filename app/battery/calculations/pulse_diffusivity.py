"""Diffusivity from one current pulse and the rest after it, by four voltages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.battery.calculations.data_interpolants import particle
from app.battery.checks.fields import Path, Settings
from app.battery.functions import Inputs, Made, model_error
from app.battery.objectives.data.measurements import Loaded, Needs, measured
from app.battery.objectives.objective import Array

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
STEPS = ("Step number", "Step count")
REST = 1e-2
"""Maximum current of a rest, as a share of the largest current."""


def pulse_data(config: Any, path: Path) -> Loaded:
    """Load a pulse: its steps are numbered by `Step number`, or by `Step count` as stored measurements are."""
    first, second = (measured(config, path, _needs(column)) for column in STEPS)
    return second if first.faults and not second.faults else first


def _needs(column: str) -> Needs:
    return Needs([TIME, CURRENT, VOLTAGE, column], TIME, rising=True, repeats=True, rows=4)


def diffusivity(settings: Settings, inputs: Inputs) -> Made:
    """D = 4 / (9 pi) R^2 / tau (dE_s / dE_t)^2 [m2.s-1] of spheres of radius R.

    dE_s is the change of the rest voltage, dE_t that under the pulse without the IR drop. Source: Weppner and Huggins
    1977, doi:10.1149/1.2133112; public schema, DiffusivityFromPulse.
    """
    name = particle(settings)
    (radius,) = inputs.positive(f"{name} radius [m]")
    columns, options = settings["data"].columns, settings["options"]
    first, last, end = _pulse(columns, options["step number"])
    times, voltage = columns[TIME][first : last + 1], columns[VOLTAGE]
    since = times - times[0]
    dropped = _row(since, options["dt_IR"] or 0.0, "dt_IR")
    taken = since.size - 1 if options["dt_pulse"] is None else _row(since, options["dt_pulse"], "dt_pulse")
    duration = float(since[taken])
    under_pulse = float(voltage[first + taken] - voltage[first + dropped])
    at_rest = float(voltage[end] - voltage[first - 1])
    if duration <= 0 or under_pulse == 0 or taken <= dropped:
        raise model_error("The voltage must change between the IR drop and the end of the pulse.")
    found = 4 / (9 * math.pi) * radius**2 / duration * (at_rest / under_pulse) ** 2
    if found == 0:
        raise model_error("The rest voltages before and after the pulse are equal: they give no diffusivity.")
    return {f"{name} diffusivity [m2.s-1]": found}


def _pulse(columns: dict[str, Array], wanted: int | None) -> tuple[int, int, int]:
    """Return the first and the last row of the pulse, and the last row of the rest after it."""
    numbers = columns[next(name for name in STEPS if name in columns)]
    current = np.abs(columns[CURRENT])
    starts = np.flatnonzero(np.diff(numbers, prepend=np.nan) != 0)
    ends: Array = np.append(starts[1:], numbers.size) - 1
    level = REST * float(current.max())
    flows = [float(current[start : end + 1].mean()) > level for start, end in zip(starts, ends, strict=True)]
    chosen = [
        step for step in range(starts.size) if (flows[step] if wanted is None else numbers[starts[step]] == wanted)
    ]
    if not chosen:
        raise model_error("No step has a current." if wanted is None else f"No step has the number {wanted}.")
    step = chosen[0]
    if not flows[step]:
        raise model_error(f"Step {numbers[starts[step]]:g} is a rest, not a pulse.")
    if step == 0:
        raise model_error("No rest step is before the pulse: its voltage is not known.")
    if step + 1 == starts.size or flows[step + 1]:
        raise model_error("No rest step is after the pulse.")
    return int(starts[step]), int(ends[step]), int(ends[step + 1])


def _row(since: Array, seconds: float, option: str) -> int:
    """Return the first row at least this long after the start of the pulse."""
    rows = np.flatnonzero(since >= seconds)
    if not rows.size:
        raise model_error(f"`{option}` is {seconds:g} s, longer than the pulse of {since[-1]:g} s.")
    return int(rows[0])
