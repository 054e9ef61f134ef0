"""Warnings about objectives: data or model output that may make a result untrustworthy.

A fit and a validation call `objective_warnings` with the model's output at their result. Each detector checks one
objective and yields at most one warning of a kind. BATTERY.md lists the thresholds.
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
"""Share of the voltage response with the wrong sign, minus the share with the right sign, that warns."""
JUMP = 0.1
"""Minimum change of current between rows that counts as a step, as a share of the largest current."""
LEVEL = 0.02
"""Maximum change of current between rows that counts as constant, as a share of the largest current."""
SPARSE_SECONDS = 1.5
"""Maximum seconds between the rows at a step of current that determine its time well enough."""
SPARSE_SHARE = 0.01
"""Share of the charge between the rows at steps of current above which a fit is affected."""
MARGIN = 1.0
"""Minimum distance in volts from the range of the data at which a voltage is unphysical; the width of the range if that
is larger."""
STEEP_RATIO = 10.0
"""Ratio of dU/dQ to the cut-off of ionworksdata above which it is a jump, such as an ohmic drop."""
STEEP_SHARE = 0.5
"""Maximum share of the sum of squares of dU/dQ that such rows may have together."""


def objective_warnings(
    objectives: Mapping[str, Objective], outputs: Outputs, values: Mapping[str, Any]
) -> list[ResultWarning]:
    """Return the warnings about objectives at a result. `values` are all parameter values, by name."""
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
    """Yield warnings about values that are probably in another unit."""
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
                "discharges here; reverse the sign if the cycler logs charge as positive."
            )
            yield ResultWarning("CURRENT_SIGN", message, objective=name)
        share, gap = sparse_steps(times, current)
        if share > SPARSE_SHARE:
            message = (
                f"At steps of {CURRENT} the rows are up to {gap:.3g} s apart, and the current is assumed to be linear "
                f"between them: {share:.1%} of the charge depends on the time of a step. Log a row right before and "
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
    """Return the range of the data; 1% of their largest size if they are nearly constant."""
    return max(float(np.ptp(data)), 0.01 * float(np.abs(data).max()))


def has_wrong_sign(times: Array, current: Array, voltage: Array) -> bool:
    """Return whether the voltage responds as if positive current charged the cell; each (n,).

    At steps of current the voltage jumps in the opposite direction, by the ohmic resistance. Without any step, the
    voltage falls while the cell discharges.
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
    """Return the agreement of responses with steps, from -1 (all opposite) to 1 (all in the same direction)."""
    product = steps * answers
    size = float(np.abs(product).sum())
    return float(product.sum()) / size if size > 0 else 0.0


def sparse_steps(times: Array, current: Array) -> tuple[float, float]:
    """Return the charge that depends on when current steps occur, as a share of the total, and the widest gap [s]; (n,)
    each.

    A step is a change between two rows with constant current on both sides. The charge between these rows is uncertain
    by half of the rectangle that they span. Currents that change between all rows have no steps.
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
    """Return how a model's output is unphysical, (n,) each; None if it is physical."""
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
    """Return the physical range of a variable."""
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
    """Yield a warning if few rows dominate the sum of squares of dU/dQ: jumps at the ends of a curve, or noise between
    close rows."""
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
    """Return 1.1 times the largest |dU/dQ| from 10% to 90% of the capacity, as ionworksdata's calculate_dUdQ_cutoff."""
    share = (capacity - capacity.min()) / max(float(np.ptp(capacity)), np.finfo(float).tiny)
    first, last = sorted(int(np.argmin(np.abs(share - part))) for part in (0.1, 0.9))
    inner: Array = np.abs(slope)[first : max(last, first + 1)]
    return 1.1 * float(inner.max())
