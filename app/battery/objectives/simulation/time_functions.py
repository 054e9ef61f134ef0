"""Functions of time among a model's equations other than the measured current, such as a profile of the temperature.

They are found in the discretised equations, and looked at on a grid: their own knots, the times of the data and `GRID`
times between the ends. The integrator stops where it could step over them, as it does for the current.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pybamm

from app.battery.objectives.objective import Array
from app.battery.objectives.simulation.stop_times import stop_rows

MEASURED = "Measured current [A]"
"""The name of the interpolant whose stops are chosen from the data."""
GRID = 1_000
DEVIATION = 1e-4
"""Tolerance as a share of the range of a function."""
CLOSE = 1e-9
"""Share of the span within which two stops are one."""
CHANGING = (pybamm.StateVectorBase, pybamm.InputParameter)


def add_stops(stops: Array, model: pybamm.BaseModel, times: Array) -> Array:
    """`stops` and those of all functions of time in a discretised model; data are at `times`, from zero."""
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
    """The greatest parts of expressions that are numbers, and change with time and nothing else."""
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
    """By id of each part: whether it holds time, and whether anything else that changes, or the measured current."""
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
    """The times of the knots of all interpolants of time, or of what is linear in time, within a function."""
    for part in symbol.pre_order():
        if isinstance(part, pybamm.Interpolant) and len(part.children) == 1:
            start, slope = _evaluate(part.children[0], np.array([0.0, 1.0])) @ [[1, -1], [0, 1]]
            if slope:
                yield (np.asarray(part.x[0], dtype=float) - start) / slope


def _evaluate(symbol: Any, times: Array) -> Array:
    """The values of a function of time, (n,)."""
    with np.errstate(all="ignore"):
        values: Array = np.array([np.asarray(symbol.evaluate(t=at), dtype=float).item() for at in times.tolist()])
    return values
