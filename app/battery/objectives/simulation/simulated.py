"""Base of objectives that solve a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pybamm

from app.battery.checks.fields import Settings
from app.battery.objectives.models.numerics import Numerics
from app.battery.objectives.objective import Array, Simulate
from app.battery.objectives.simulation.parameterised import Parameterised


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedObjective:
    """Objective with a model and with parameter values of its own, which override the pipeline's."""

    kind: str
    axis: str
    model: pybamm.BaseModel
    numerics: Numerics
    parameters: Mapping[str, Any]
    channels: dict[str, Array]
    data: dict[str, Array]
    effective: Settings
    notes: list[str] = field(default_factory=list)
    """Messages about how the data were loaded."""

    def parameter_names(self, values: Mapping[str, Any]) -> set[str]:
        return self._parameterised().names({**values, **self.parameters}) - set(self.parameters)

    def simulate(self, values: Mapping[str, Any], free: Collection[str]) -> Simulate:
        own = [name for name in free if name not in self.parameters]
        return self._parameterised().simulate({**values, **self.parameters}, own)

    def normalised(self, values: Mapping[str, float]) -> dict[str, float]:
        return dict(values)

    def _parameterised(self) -> Parameterised:
        """Return the parameterised model."""
        raise NotImplementedError
