"""CurrentDriven and Pulse objectives: the measured current drives the model, and variables are compared at the data's
times.

Between samples the current is linear. The integrator restarts at stop times, so that it cannot step over current (see
`stop_times`). `interpolant_atol` and `interpolant_rtol` set their tolerances; with `interpolant_lossless` each sample
off the line between its neighbours is a stop. Events are off: data determine when an experiment ends, and a fit has to
be able to cross a voltage limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm

from app.battery.objectives.objective import Array
from app.battery.objectives.simulation.parameterised import Inputs, Parameterised, Solve
from app.battery.objectives.simulation.simulated import SimulatedObjective
from app.battery.objectives.simulation.stop_times import stop_rows
from app.battery.objectives.simulation.time_functions import MEASURED, add_stops
from app.battery.objectives.simulation.tolerances import absolute_tolerances

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven(SimulatedObjective):
    """Objective that simulates a measured current."""

    tolerances: tuple[float, float]
    """Tolerances (absolute [A], relative) for choosing stops."""
    axis: str = TIME

    def _parameterised(self) -> Parameterised:
        return Parameterised(self.model, list(self.data), self._current(), self._build)

    def _current(self) -> Any:
        times, current = self.channels[TIME], self.channels[CURRENT]
        if np.all(current == current[0]):
            return float(current[0])
        rows = _knots(current)
        return pybamm.Interpolant(times[rows] - times[0], current[rows], pybamm.t, name=MEASURED)

    def _build(self, values: pybamm.ParameterValues, meshes: dict[str, Any]) -> Solve:
        times = self.channels[TIME] - self.channels[TIME][0]
        simulation = pybamm.Simulation(
            self.model,
            parameter_values=values,
            solver=self.numerics.solver(list(self.data)),
            var_pts=self.numerics.var_pts(self.model),
            submesh_types=dict(self.model.default_submesh_types) | meshes,
        )
        simulation.build()
        stops = times[stop_rows(times, self.channels[CURRENT], *self.tolerances)]
        stops = add_stops(stops, simulation.built_model, times)
        charge = float(np.trapezoid(np.abs(self.channels[CURRENT]), times)) / 3600
        simulation.solver.atol = absolute_tolerances(simulation.built_model, self.numerics.atol, charge)

        def solve(inputs: Inputs) -> dict[str, Array]:
            solution = simulation.solve(stops, t_interp=times, inputs=inputs)
            rows = np.flatnonzero(np.isin(solution.t, times))  # functions of time add stops of their own
            return {name: _complete(solution[name].data[rows], times.size) for name in self.data}

        return solve


def _knots(current: Array) -> Array:
    """Return the rows that a linear interpolant needs: all but those between equal neighbours. Its search for an
    interval takes a time that grows with its knots, at each evaluation of the model."""
    is_level = np.diff(current) == 0
    inner = np.concatenate(([False], is_level[:-1] & is_level[1:], [False]))
    rows: Array = np.flatnonzero(~inner)
    return rows


def _complete(values: Array, rows: int) -> Array:
    """Return a value for each row; NaN if it is not finite."""
    finite = np.isfinite(values)
    if values.shape != (rows,) or not finite.any():
        raise pybamm.SolverError(f"The model gives {finite.sum()} of {rows} values.")
    complete: Array = np.where(finite, values, np.nan)
    return complete
