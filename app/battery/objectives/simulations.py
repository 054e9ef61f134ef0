"""CurrentDriven and Pulse: the measured current drives the model, and its variables are compared on the data's times.

Between samples the current is linear. The integrator restarts at its corners: where the line between the neighbours of
a sample misses it by more than `interpolant_atol` + `interpolant_rtol` |I|; with `interpolant_lossless`, by anything.
Events are off: data say when an experiment ends, and a fit has to be able to cross a voltage limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm

from app.battery.objectives.objective import Array
from app.battery.objectives.of_model import OfModel
from app.battery.objectives.parameterised import Inputs, Parameterised, Solve

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven(OfModel):
    """An objective that simulates a measured current."""

    tolerances: tuple[float, float]
    """(absolute [A], relative) within which the current between the corners is linear."""
    axis: str = TIME

    def _parameterised(self) -> Parameterised:
        return Parameterised(self.model, list(self.data), self._current(), self._build)

    def _current(self) -> Any:
        times, current = self.channels[TIME], self.channels[CURRENT]
        if np.all(current == current[0]):
            return float(current[0])
        return pybamm.Interpolant(times - times[0], current, pybamm.t)

    def _build(self, values: pybamm.ParameterValues, meshes: dict[str, Any]) -> Solve:
        times = self.channels[TIME] - self.channels[TIME][0]
        stops = times[corners(times, self.channels[CURRENT], *self.tolerances)]
        simulation = pybamm.Simulation(
            self.model,
            parameter_values=values,
            solver=self.numerics.solver(list(self.data)),
            var_pts=self.numerics.var_pts(self.model),
            submesh_types=dict(self.model.default_submesh_types) | meshes,
        )
        simulation.build()

        def solve(inputs: Inputs) -> dict[str, Array]:
            solution = simulation.solve(stops, t_interp=times, inputs=inputs)
            return {name: _complete(solution[name].data, times.size) for name in self.data}

        return solve


def corners(times: Array, current: Array, absolute: float, relative: float) -> Array:
    """Where the current turns, with the ends: a mask, (n,), for times and currents (n,)."""
    share = (times[1:-1] - times[:-2]) / (times[2:] - times[:-2])
    line = current[:-2] + share * (current[2:] - current[:-2])
    turns = np.abs(current[1:-1] - line) > absolute + relative * np.abs(current[1:-1])
    mask: Array = np.concatenate([[True], turns, [True]])
    return mask


def _complete(values: Array, rows: int) -> Array:
    """A value for each row; NaN where it is not finite."""
    finite = np.isfinite(values)
    if values.shape != (rows,) or not finite.any():
        raise pybamm.SolverError(f"The model gives {finite.sum()} of {rows} values.")
    complete: Array = np.where(finite, values, np.nan)
    return complete
