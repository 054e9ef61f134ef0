"""What an objective is to a fit and to a validation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np

from app.battery.fields import Settings

Array = np.ndarray
Simulate = Callable[[Mapping[str, float]], dict[str, Array]]
"""The model's answer for physical values of the free parameters: by variable, shape (n,), on the data's axis; NaN where
it has no value. Names that are not free are ignored. pybamm.SolverError where the model has no solution there."""


class Objective(Protocol):
    """A checked comparison of a model with measured data."""

    @property
    def kind(self) -> str:
        """Its type on the wire, `CurrentDriven` for one."""

    @property
    def axis(self) -> str:
        """The channel that the data run along, `Time [s]` for one."""

    @property
    def channels(self) -> dict[str, Array]:
        """The axis first, then other columns that a plot or an analysis wants, such as the current: each (n,)."""

    @property
    def data(self) -> dict[str, Array]:
        """What the model is compared with, by variable: each (n,)."""

    @property
    def effective(self) -> Settings:
        """Its configuration with all defaults filled in; the data are not repeated there."""

    def parameter_names(self, values: Mapping[str, Any]) -> set[str]:
        """All parameters that its model can read, through functions and expressions among `values` too."""

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        """The model, built and ready. `values` are numbers, functions and symbols by name, as `symbols.decode` gives
        them; those in `free` are given anew for each call. JobFailed with MODEL_ERROR where the model cannot be built
        or lacks parameters; pybamm.SolverError where it has no initial state."""

    def normalised(self, values: Mapping[str, float]) -> dict[str, float]:
        """Values of free parameters as the model takes them: what only counts relative to each other is scaled."""
