"""Interface of objectives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np

from app.battery.checks.fields import Settings

Array = np.ndarray
Simulate = Callable[[Mapping[str, float]], dict[str, Array]]
"""Simulates the model for physical values of the free parameters. Returns arrays by variable, shape (n,), on the data's
axis; NaN where it has no value. Other names are ignored. Raises pybamm.SolverError if the model has no solution."""


class Objective(Protocol):
    """A checked comparison of a model with measured data."""

    @property
    def kind(self) -> str:
        """Type on the wire, for example `CurrentDriven`."""

    @property
    def axis(self) -> str:
        """Channel of the axis, for example `Time [s]`."""

    @property
    def channels(self) -> dict[str, Array]:
        """Columns for plots: the axis first, then others such as the current, each (n,)."""

    @property
    def data(self) -> dict[str, Array]:
        """Measured data by variable, each (n,)."""

    @property
    def effective(self) -> Settings:
        """Configuration with all defaults, without the data."""

    def parameter_names(self, values: Mapping[str, Any]) -> set[str]:
        """Return all parameters that the model can read, including those read by functions and expressions in
        `values`."""

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        """Build the model. `values` holds numbers, functions and symbols by name, as `symbols.decode` returns them;
        those in `free` are passed to each call. Raises JobFailed with MODEL_ERROR if the model cannot be built or lacks
        parameters; pybamm.SolverError if it has no initial state."""

    def normalised(self, values: Mapping[str, float]) -> dict[str, float]:
        """Normalise values of free parameters: scale those that only count relative to each other."""
