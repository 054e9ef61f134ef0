"""Functions of one variable as BPX holds them: numbers, formulas, or tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pybamm

from app.battery.entries.bpx.formulas import VARIABLE, written

POINTS = 2_001
"""Rows of the table of a function that has no formula."""
X = pybamm.InputParameter(VARIABLE)
Array = np.ndarray


class Curve(NamedTuple):
    """A function of one variable. `note` tells how far a table is from it."""

    value: float | str | dict[str, list[float]]
    note: str | None = None


def evaluate(symbol: Any, x: float) -> float:
    """Return the value of a symbol at `x`; NaN if it has none."""
    try:
        found = symbol.evaluate(inputs={VARIABLE: x}) if isinstance(symbol, pybamm.Symbol) else symbol
        return float(np.asarray(found).item())
    except (ArithmeticError, ValueError, TypeError):
        return float("nan")


def curve(symbol: Any, low: float, high: float) -> Curve | None:
    """Return a function as a number, a formula or a table between two ends; None if it has no values there."""
    if not isinstance(symbol, pybamm.Symbol):
        return Curve(float(symbol))
    if not any(isinstance(each, pybamm.InputParameter) for each in symbol.pre_order()):
        value = evaluate(symbol, low)
        return Curve(value) if np.isfinite(value) else None
    text = written(symbol)
    if text is not None:
        return Curve(text)
    if isinstance(symbol, pybamm.Interpolant) and symbol.children[0] == X and symbol.interpolator == "linear":
        x, y = (np.asarray(each, float).ravel() for each in (symbol.x[0], symbol.y))
        note = None if symbol.extrapolate else "a table that goes on beyond its ends"
        return Curve({"x": x.tolist(), "y": y.tolist()}, note)
    return _table(symbol, low, high)


def _table(symbol: pybamm.Symbol, low: float, high: float) -> Curve | None:
    """Sample a function densely near both ends, where open-circuit potentials are steep."""
    even = np.linspace(0.0, 1.0, POINTS)
    x = low + (high - low) * (1 - np.cos(np.pi * even)) / 2
    y = np.array([evaluate(symbol, each) for each in x.tolist()])
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2:
        return None
    middle = (x[1:] + x[:-1]) / 2
    errors = np.abs(np.array([evaluate(symbol, each) for each in middle.tolist()]) - (y[1:] + y[:-1]) / 2)
    worst = float(np.nanmax(errors)) if np.isfinite(errors).any() else float("nan")
    note = f"a table of {len(x)} rows from {x[0]:g} to {x[-1]:g}; between them it is off by at most {worst:.2g}"
    return Curve({"x": x.tolist(), "y": y.tolist()}, note)
