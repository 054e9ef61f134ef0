"""Absolute tolerances of the integrator, by state: the charge that has passed counts against that of the whole record.

The tolerances of the other states are relative to their values, such as those of concentrations. Between two rests of
a long experiment these hardly change, so that an error which is small beside them may be large beside the charge.
"""

from __future__ import annotations

import numpy as np
import pybamm

from app.battery.objectives.objective import Array

CHARGE = "Discharge capacity [A.h]"
"""The state that PyBaMM's battery models count charge with."""
CHARGE_TOLERANCE = 1e-6
"""Error of the charge in one step, as a share of the charge that passes in both directions."""


def absolute_tolerances(model: pybamm.BaseModel, absolute: float, charge: float) -> Array:
    """One for each state of a discretised model, (n,): `absolute`, and for its charge [A.h] one that is no greater.

    An integrator bounds the root mean square of all states' errors over their tolerances, hence the root of n.
    """
    tolerances: Array = np.full(model.len_rhs_and_alg, absolute)
    for variable, slices in model.y_slices.items():
        if variable.name == CHARGE and variable.scale.is_constant():
            share = CHARGE_TOLERANCE * charge / np.sqrt(tolerances.size) / float(variable.scale.evaluate())
            tolerances[slices[0]] = min(absolute, share) if share > 0 else absolute
    return tolerances
