"""Series of an objective, for plots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from app.battery.objectives.objective import Array, Objective
from app.execution.executor import Series
from app.models.enums import SeriesSource


def series(name: str, objective: Objective, source: SeriesSource, model: Mapping[str, Array]) -> Series:
    """Return the axis and measured columns, then each variable of the data and of the model."""
    channels: dict[str, Sequence[float | None]] = {key: _listed(each) for key, each in objective.channels.items()}
    for variable, measured in objective.data.items():
        channels[f"{variable} (data)"] = _listed(measured)
        channels[f"{variable} (model)"] = _listed(model[variable])
    return Series(name, source, channels)


def _listed(values: Array) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
