"""Interface of optimisers: they see numbers only, with coordinates of about 1 in size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.battery.checks.fields import Field, Settings
from app.execution.executor import Fault

Array = np.ndarray
MAX_ITERATIONS = 100_000
MAX_EVALUATIONS = 1_000_000
MAX_POPULATION = 10_000
NARROWING = 0.1
"""Factor of first steps and of tolerances at each restart."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Residuals, (n,), whose squares add up to the cost, and their Jacobian, (n, d), by central differences on
    request."""

    at: Callable[[Array], Array]
    jacobian: Callable[[Array, bool], Array]


@dataclass(frozen=True, slots=True)
class Search:
    """A problem in search coordinates, shape (d,). A point without a solution costs more than any other."""

    start: Array
    low: Array
    high: Array
    scalar: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    residuals: Residuals
    of_data: Residuals | None
    """Residuals without priors, if the weight of priors depends on the residuals."""
    iterated: Callable[[], None]
    """Callback after each iteration."""
    seed: int
    restart: int = 0
    """Restarts before this one. A method with a first step or a population takes a smaller one each time."""
    evaluations: int = 0
    """Evaluations that the method itself counted before the restart; they count towards its own limits."""
    iterations: int = 0

    def narrowed(self, size: float) -> float:
        """Return a first step, or a tolerance, as it is after the restarts so far."""
        return size * NARROWING**self.restart


@dataclass(frozen=True, slots=True)
class Found:
    """End of a run of an optimiser. `is_limited`: a limit of the optimiser stopped it."""

    point: Array
    iterations: int
    success: bool
    message: str
    evaluations: int = 0
    is_limited: bool = False


@dataclass(frozen=True, slots=True)
class Optimiser:
    """An optimiser: its fields, further checks of its settings, its requirements and its properties."""

    fields: dict[str, Field]
    run: Callable[[Settings, Search], Found]
    check: Callable[[Settings, int], list[Fault]] = lambda settings, count: []
    residuals: bool = False
    needs_bounds: Callable[[Settings], bool] = lambda settings: False
    takes_bounds: Callable[[Settings], bool] = lambda settings: True
    is_search: bool = True
    """Whether the method searches for an optimum; false for methods that only evaluate points."""
