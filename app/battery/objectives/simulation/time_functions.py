"""Functions of time in a model's equations besides the measured current, such as a temperature profile.

The functions are found in the discretised equations and evaluated on a grid: their own knots, the times of the data and
`GRID` times between the ends. They add stop times of the integrator, as the measured current does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pybamm

from app.battery.objectives.objective import Array
from app.battery.objectives.simulation.stop_times import stop_rows

MEASURED = "Measured current [A]"
"""Name of the interpolant whose stops are chosen from the data."""
GRID = 1_000
DEVIATION = 1e-4
"""Tolerance as a share of the range of a function."""
CLOSE = 1e-9
"""Distance below which two stops are merged, as a share of the time span."""
CHANGING = (pybamm.StateVectorBase, pybamm.InputParameter)


def add_stops(stops: Array, model: pybamm.BaseModel, times: Array) -> Array:
    """Return `stops` merged with those of all functions of time in a discretised model, for data at `times`, from
    zero."""
    found = [_stops(symbol, times) for symbol in time_functions([model.concatenated_rhs, model.concatenated_algebraic])]
    if not found:
        return stops
    together: Array = np.concatenate([stops, *found])
    order = np.lexsort((np.repeat([0, 1], [stops.size, together.size - stops.size]), together))
    together, own = together[order], order < stops.size
    apart = np.diff(together, prepend=-np.inf, append=np.inf) > CLOSE * times[-1]
    kept: Array = together[own | (apart[:-1] & apart[1:])]
    return kept


def time_functions(symbols: Iterable[Any]) -> Iterator[Any]:
    """Yield the largest scalar subexpressions that depend on time and on nothing else that changes."""
    waiting = [symbol for symbol in symbols if symbol is not None]
    known = _dependences(waiting)
    seen: set[int] = set()
    while waiting:
        symbol = waiting.pop()
        if id(symbol) in seen:
            continue
        seen.add(id(symbol))
        of_time, of_others = known[id(symbol)]
        if of_time and not of_others and symbol.size_for_testing == 1:
            yield symbol
        elif of_time:
            waiting += symbol.children


def _dependences(symbols: Iterable[Any]) -> dict[int, tuple[bool, bool]]:
    """Return for each subexpression, by id, whether it depends on time, and whether on anything else that changes or on
    the measured current."""
    known: dict[int, tuple[bool, bool]] = {}
    waiting = [(symbol, False) for symbol in symbols]
    while waiting:
        symbol, is_ready = waiting.pop()
        if id(symbol) in known:
            continue
        if isinstance(symbol, pybamm.Interpolant) and symbol.name == MEASURED:
            known[id(symbol)] = False, True
        elif is_ready or not symbol.children:
            parts = [known[id(child)] for child in symbol.children]
            known[id(symbol)] = (
                isinstance(symbol, pybamm.Time) or any(of_time for of_time, _ in parts),
                isinstance(symbol, CHANGING) or any(of_others for _, of_others in parts),
            )
        else:
            waiting.append((symbol, True))
            waiting += [(child, False) for child in symbol.children]
    return known


def _stops(symbol: Any, times: Array) -> Array:
    grid = np.concatenate([times, np.linspace(0.0, times[-1], GRID), *_knots(symbol)])
    grid = np.unique(grid[(grid >= 0) & (grid <= times[-1])])
    grid = grid[np.diff(grid, prepend=-np.inf) > CLOSE * times[-1]]
    values = _evaluate(symbol, grid)
    spread = float(np.ptp(values))
    if not (np.isfinite(spread) and spread > 0):
        return np.empty(0)
    stops: Array = grid[stop_rows(grid, values - values.min(), DEVIATION * spread, 0.0)]
    return stops


def _knots(symbol: Any) -> Iterator[Array]:
    """Yield the knot times of all interpolants in a function whose argument is time, or linear in time."""
    for part in symbol.pre_order():
        if isinstance(part, pybamm.Interpolant) and len(part.children) == 1:
            start, slope = _evaluate(part.children[0], np.array([0.0, 1.0])) @ [[1, -1], [0, 1]]
            if slope:
                yield (np.asarray(part.x[0], dtype=float) - start) / slope


def _evaluate(symbol: Any, times: Array) -> Array:
    """Evaluate a function of time, (n,)."""
    with np.errstate(all="ignore"):
        values: Array = np.array([np.asarray(symbol.evaluate(t=at), dtype=float).item() for at in times.tolist()])
    return values
