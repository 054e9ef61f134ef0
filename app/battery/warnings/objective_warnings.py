"""Warnings about objectives: data or model output that a reader should look at before trusting a result.

A fit and a validation call `objective_warnings` with the model's output at their result. Each detector looks at one
objective and yields at most one warning of a kind; the thresholds are written where they are used, and in BATTERY.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from app.battery.checks.fields import is_number
from app.battery.objectives.driven import CURRENT, TIME, VOLTAGE
from app.battery.objectives.msmr import CAPACITY, DIFFERENTIAL
from app.battery.objectives.objective import Array, Objective
from app.battery.warnings.result_warnings import ResultWarning

Outputs = Mapping[str, Mapping[str, Array]]
"""The model's output, by objective and variable, each (n,)."""

SOC, THEVENIN_SOC = "Initial SOC [%]", "Initial SoC"
SIGN_CERTAINTY = 0.5
"""Share of a voltage's answer to current that has the wrong sign, less the share that has the right one."""
JUMP = 0.1
"""Change of current from row to row that is a step, as a share of the largest current."""
LEVEL = 0.02
"""Change of current that is none, as a share of the same."""
SPARSE_SECONDS = 1.5
"""Rows at a step of current that are no further apart leave no doubt when it came."""
SPARSE_SHARE = 0.01
"""Charge between the rows at steps of current, as a share of all, that makes a difference to a fit."""
MARGIN = 1.0
"""Volts beyond the range of the data, or that range again, from which a voltage is unphysical."""
STEEP_RATIO = 10.0
"""dU/dQ from this many times the cut-off of ionworksdata on is that of a jump, such as an ohmic drop."""
STEEP_SHARE = 0.5
"""Share of the sum of squares of dU/dQ that such rows may have together."""


def objective_warnings(
    objectives: Mapping[str, Objective], outputs: Outputs, values: Mapping[str, Any]
) -> list[ResultWarning]:
    """Return what is to be told of objectives at a result. `values` are all parameter values, by name."""
    simulated = {name: each for name, each in objectives.items() if each.kind != "MSMRHalfCell"}
    found = list(value_warnings(values)) if simulated else []
    for name, objective in objectives.items():  # only objectives that load data have notes and values of their own
        if name in simulated:
            found += value_warnings(getattr(objective, "parameters", {}), name)
        found += [ResultWarning("LOADER_OPTION", note, objective=name) for note in getattr(objective, "notes", ())]
        found += _data_warnings(name, objective)
        if name in outputs:
            found += _output_warnings(name, objective, outputs[name])
    return found


def value_warnings(values: Mapping[str, Any], objective: str | None = None) -> Iterator[ResultWarning]:
    """Warnings about values that look as if they had another unit."""
    soc, fraction = values.get(SOC), values.get(THEVENIN_SOC)
    if is_number(soc) and 0 < float(soc) <= 1:  # type: ignore[arg-type]
        message = f"{SOC} is {soc:g}, which is {soc:g} percent. A fraction must be multiplied by 100."
        yield ResultWarning("SOC_LOOKS_LIKE_FRACTION", message, parameter=SOC, objective=objective)
    if is_number(fraction) and float(fraction) > 1:  # type: ignore[arg-type]
        message = f"{THEVENIN_SOC} is {fraction:g}; it is a fraction from 0 to 1. Percent must be divided by 100."
        yield ResultWarning("SOC_LOOKS_LIKE_PERCENT", message, parameter=THEVENIN_SOC, objective=objective)


def _data_warnings(name: str, objective: Objective) -> Iterator[ResultWarning]:
    if TIME in objective.channels and CURRENT in objective.channels:
        times, current = objective.channels[TIME], objective.channels[CURRENT]
        if VOLTAGE in objective.data and has_wrong_sign(times, current, objective.data[VOLTAGE]):
            message = (
                f"{VOLTAGE} falls where {CURRENT} charges the cell, or rises where it discharges it. Positive current "
                "discharges here; turn the sign if the cycler counts charge as positive."
            )
            yield ResultWarning("CURRENT_SIGN", message, objective=name)
        share, gap = sparse_steps(times, current)
        if share > SPARSE_SHARE:
            message = (
                f"At steps of {CURRENT} the rows are up to {gap:.3g} s apart, and the current is taken to be linear "
                f"between them: {share:.1%} of the charge depends on when a step came. Log a row right before and "
                "one right after each step."
            )
            yield ResultWarning("SPARSE_SAMPLES", message, objective=name)
    if DIFFERENTIAL in objective.data and CAPACITY in objective.data:
        yield from _slope_warnings(name, objective.data[CAPACITY], objective.data[DIFFERENTIAL])


def _output_warnings(name: str, objective: Objective, output: Mapping[str, Array]) -> Iterator[ResultWarning]:
    for variable, data in objective.data.items():
        if variable not in output:
            continue
        model = output[variable]
        if problem := unphysical(variable, model, data):
            yield ResultWarning("UNPHYSICAL_OUTPUT", f"The model's {variable} {problem}.", objective=name)
        worst, spread = _worst(model, data), _spread(data)
        if worst > spread:
            message = (
                f"The model misses {variable} by up to {worst:.3g}, more than the data spread ({spread:.3g}). "
                "The fit, its start or the units of the data are not right."
            )
            yield ResultWarning("POOR_FIT", message, objective=name)


def _worst(model: Array, data: Array) -> float:
    errors = np.abs(model - data)
    finite = errors[np.isfinite(errors)]
    return float(finite.max()) if finite.size else 0.0


def _spread(data: Array) -> float:
    """From the least to the greatest value; of data that hardly change, 1% of their size."""
    return max(float(np.ptp(data)), 0.01 * float(np.abs(data).max()))


def has_wrong_sign(times: Array, current: Array, voltage: Array) -> bool:
    """Whether voltage answers to current as if positive current charged the cell; each (n,).

    At steps of current the voltage jumps against it, by the ohmic resistance. Without any step, the voltage falls as
    charge is taken.
    """
    largest = float(np.abs(current).max())
    if largest == 0:
        return False
    steps, answers = np.diff(current), np.diff(voltage)
    is_step = np.abs(steps) > JUMP * largest
    if is_step.any():
        return _agreement(steps[is_step], answers[is_step]) > SIGN_CERTAINTY
    charge = np.concatenate(([0.0], np.cumsum(np.diff(times) * (current[1:] + current[:-1]) / 2)))
    charge, level = charge - charge.mean(), voltage - voltage.mean()
    size = float(np.sqrt((charge @ charge) * (level @ level)))
    return size > 0 and float(charge @ level) / size > SIGN_CERTAINTY


def _agreement(steps: Array, answers: Array) -> float:
    """From -1, all answers against the steps, to 1, all along with them."""
    product = steps * answers
    size = float(np.abs(product).sum())
    return float(product.sum()) / size if size > 0 else 0.0


def sparse_steps(times: Array, current: Array) -> tuple[float, float]:
    """Charge that depends on when a step of current came, as a share of all, and the widest gap [s]; (n,) each.

    A step is a change between two rows on whose either side the current stays: the charge between them is known to
    half of the rectangle that they span. Currents that change from each row to the next have no steps.
    """
    largest, gaps, changes = float(np.abs(current).max()), np.diff(times), np.abs(np.diff(current))
    if largest == 0 or changes.size < 3:
        return 0.0, 0.0
    is_level = np.concatenate(([True], changes <= LEVEL * largest, [True]))
    is_step = (changes > JUMP * largest) & is_level[:-2] & is_level[2:] & (gaps > SPARSE_SECONDS)
    if not is_step.any():
        return 0.0, 0.0
    total = float((gaps * (np.abs(current[1:]) + np.abs(current[:-1])) / 2).sum())
    doubtful = float((gaps[is_step] * changes[is_step] / 2).sum())
    return doubtful / total, float(gaps[is_step].max())


def unphysical(variable: str, model: Array, data: Array) -> str | None:
    """Return in which way a model's output cannot be, (n,) each; None where it can."""
    finite = model[np.isfinite(model)]
    if finite.size < model.size:
        return f"has no value in {model.size - finite.size} of {model.size} rows"
    low, high = _physical_range(variable, data)
    least, greatest = float(finite.min()), float(finite.max())
    if low <= least and greatest <= high:
        return None
    limits = f"{low:.4g} to {high:.4g}" if np.isfinite(high) else f"{low:.4g} or more"
    return f"runs from {least:.4g} to {greatest:.4g}; {limits} is physical, or near the data"


def _physical_range(variable: str, data: Array) -> tuple[float, float]:
    """The least and the greatest value that a variable can have."""
    word = variable.lower()
    if word.endswith("[k]"):
        return 0.0, np.inf
    if word.endswith(("[c]", "[degc]")) and "temperature" in word:
        return -273.15, np.inf
    if "stoichiometry" in word:
        return -1e-6, 1 + 1e-6
    if "concentration" in word and "[mol.m-3]" in word:
        return -1e-6 * float(np.abs(data).max()), np.inf
    if word.endswith("[v]"):
        margin = max(MARGIN, float(np.ptp(data)))
        return float(data.min()) - margin, float(data.max()) + margin
    return -np.inf, np.inf


def _slope_warnings(name: str, capacity: Array, slope: Array) -> Iterator[ResultWarning]:
    """Rows whose dU/dQ outweighs that of all others: jumps at the ends of a curve, or noise between close rows."""
    steepness = np.abs(slope)
    cutoff = slope_cutoff(capacity, slope)
    is_steep = steepness > STEEP_RATIO * cutoff
    total = float(slope @ slope)
    if not is_steep.any() or float(slope[is_steep] @ slope[is_steep]) <= STEEP_SHARE * total:
        return
    message = (
        f"{int(is_steep.sum())} of {slope.size} rows have most of the sum of squares of {DIFFERENTIAL}: jumps, or "
        f"noise between close rows, outweigh the curve. Set `dUdQ cutoff`, such as {cutoff:.4g}, or compare "
        f"`{CAPACITY}` alone."
    )
    yield ResultWarning("STEEP_SLOPES", message, objective=name)


def slope_cutoff(capacity: Array, slope: Array) -> float:
    """1.1 times the steepest |dU/dQ| from 10% to 90% of the capacity, as ionworksdata's calculate_dUdQ_cutoff."""
    share = (capacity - capacity.min()) / max(float(np.ptp(capacity)), np.finfo(float).tiny)
    first, last = sorted(int(np.argmin(np.abs(share - part))) for part in (0.1, 0.9))
    inner: Array = np.abs(slope)[first : max(last, first + 1)]
    return 1.1 * float(inner.max())
