"""What an optimiser is given, and what it gives back. It sees numbers only: coordinates that are about 1 in size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.battery.fields import Field, Settings
from app.execution.executor import Fault

Array = np.ndarray
MAX_ITERATIONS = 100_000
MAX_EVALUATIONS = 1_000_000
MAX_POPULATION = 10_000


@dataclass(frozen=True, slots=True)
class Residuals:
    """Whose squares add up to the cost: (n,), and their Jacobian (n, d) at a point, with a step, by central differences
    if wanted."""

    at: Callable[[Array], Array]
    jacobian: Callable[[Array, float, bool], Array]


@dataclass(frozen=True, slots=True)
class Search:
    """A problem, in search coordinates, shape (d,). A point that has no solution costs more than any other."""

    start: Array
    low: Array
    high: Array
    scalar: Callable[[Array], float]
    gradient: Callable[[Array, float, bool], Array]
    """At a point, with a step, by central differences if wanted."""
    residuals: Residuals
    of_data: Residuals | None
    """Without priors, where the weight of those follows from how well the data are met."""
    iterated: Callable[[], None]
    """To be called after each iteration."""
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """Where an optimiser ended."""

    point: Array
    iterations: int
    success: bool
    message: str


@dataclass(frozen=True, slots=True)
class Optimiser:
    """An optimiser: its fields, what more is wrong with settings for so many parameters, what it needs and keeps."""

    fields: dict[str, Field]
    run: Callable[[Settings, Search], Found]
    check: Callable[[Settings, int], list[Fault]] = lambda settings, count: []
    residuals: bool = False
    needs_bounds: Callable[[Settings], bool] = lambda settings: False
    takes_bounds: Callable[[Settings], bool] = lambda settings: True
