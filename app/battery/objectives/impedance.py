"""EIS: the impedance of the model, linearised at its initial state, against a measured spectrum.

By pybamm.EISSimulation, after Hallemans et al. (2025), J. Electrochem. Soc. 172, 060507.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm

from app.battery.objectives.objective import Array
from app.battery.objectives.simulation.parameterised import Inputs, Parameterised, Solve
from app.battery.objectives.simulation.simulated import SimulatedObjective

FREQUENCY, REAL, IMAGINARY = "Frequency [Hz]", "Z_Re [Ohm]", "Z_Im [Ohm]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impedance(SimulatedObjective):
    """Objective that computes an impedance."""

    kind: str = "EIS"
    axis: str = FREQUENCY

    def _parameterised(self) -> Parameterised:
        return Parameterised(self.model, ["Voltage [V]"], 0.0, self._build)

    def _build(self, values: pybamm.ParameterValues, meshes: dict[str, Any]) -> Solve:
        simulation = pybamm.EISSimulation(
            self.model,
            parameter_values=values,
            var_pts=self.numerics.var_pts(self.model),
            submesh_types=dict(self.model.default_submesh_types) | meshes,
        )
        simulation.build()
        frequencies = self.channels[FREQUENCY]

        def solve(inputs: Inputs) -> dict[str, Array]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # SciPy warns about a singular matrix; the result is checked
                impedance = simulation.solve(frequencies, inputs=inputs).impedance
            if not np.isfinite(impedance).all():
                raise pybamm.SolverError("The impedance is not finite.")
            return {REAL: impedance.real, IMAGINARY: impedance.imag}

        return solve
