"""Size of a discretised model: its number of states, from the mesh points of its domains, and of its results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pybamm

from app.battery.checks.fields import Path
from app.execution.executor import Fault

MAX_STATES = 200_000
"""Maximum number of states of a model: one for each variable at each of its mesh points. DFN with 200 points along each
axis has about 82,000, and took 0.5 GB of memory and 40 s."""
MAX_WORK = 1_000_000_000
"""Maximum product of the states of a model and the rows of its data: the time of a simulation grows with both."""


def size_faults(model: pybamm.BaseModel, points: Mapping[Any, int], rows: int, path: Path) -> list[Fault]:
    """Return the problem of a model that is too large, by itself or for its data."""
    count = states(model, points)
    if count > MAX_STATES:
        meant = "Reduce the mesh points, `var_pts` in `simulation_kwargs`."
        return [Fault(f"The model has {count:,} states; at most {MAX_STATES:,} are allowed. {meant}", path)]
    if count * rows > MAX_WORK:
        meant = f"Their product may be at most {MAX_WORK:,}: reduce the mesh points, or thin the data."
        return [Fault(f"The model has {count:,} states, and its data {rows:,} rows. {meant}", path)]
    return []


def states(model: pybamm.BaseModel, points: Mapping[Any, int]) -> int:
    """Count the states of a model: for each of its variables, the mesh points of its domains."""
    named = {getattr(variable, "name", variable): count for variable, count in points.items()}
    per_domain = {
        domain: math.prod(named.get(getattr(axis, "name", axis), 1) for axis, ends in axes.items() if _is_line(ends))
        for domain, axes in model.default_geometry.items()
    }
    variables = {*model.rhs, *model.algebraic}
    return sum(
        math.prod(sum(per_domain.get(domain, 1) for domain in level) for level in variable.domains.values() if level)
        for variable in variables
    )


def _is_line(ends: Any) -> bool:
    """Return whether an axis has a length; one with a position has one point."""
    return isinstance(ends, Mapping) and "min" in ends
