"""Absolute tolerances of the integrator by state, with a tighter one for the charge.

The tolerances of the other states, such as concentrations, are relative to their values. Between two rests of a long
experiment these values hardly change, so an error that is small relative to them may be large relative to the charge.
The tolerance of the charge is relative to the charge that passes in the whole record.
"""

from __future__ import annotations

import numpy as np
import pybamm

from app.battery.objectives.objective import Array

CHARGE = "Discharge capacity [A.h]"
"""State variable of the charge in PyBaMM's battery models."""
CHARGE_TOLERANCE = 1e-6
"""Error of the charge in one step, as a share of the charge that passes in both directions."""


def absolute_tolerances(model: pybamm.BaseModel, absolute: float, charge: float) -> Array:
    """Return the tolerance of each state of a discretised model, (n,): `absolute`, and for its charge [A.h] one that is
    not larger.

    An integrator bounds the root mean square of all states' errors over their tolerances, hence the root of n.
    """
    tolerances: Array = np.full(model.len_rhs_and_alg, absolute)
    for variable, slices in model.y_slices.items():
        if variable.name == CHARGE and variable.scale.is_constant():
            share = CHARGE_TOLERANCE * charge / np.sqrt(tolerances.size) / float(variable.scale.evaluate())
            tolerances[slices[0]] = min(absolute, share) if share > 0 else absolute
    return tolerances
