"""Measured electrolytes: functions of concentration c_e [mol.m-3] and temperature T [K]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybamm.input.parameters.lithium_ion import Chen2020, ORegan2022

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import INITIAL_ELECTROLYTE
from app.battery.functions import Inputs, Made

CONDUCTIVITY, DIFFUSIVITY = "Electrolyte conductivity [S.m-1]", "Electrolyte diffusivity [m2.s-1]"
FACTOR, TRANSFERENCE = "Thermodynamic factor", "Cation transference number"

FORMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    CONDUCTIVITY: ORegan2022.electrolyte_conductivity_base_Landesfeind2019,
    DIFFUSIVITY: ORegan2022.electrolyte_diffusivity_base_Landesfeind2019,
    FACTOR: ORegan2022.electrolyte_TDF_base_Landesfeind2019,
    TRANSFERENCE: ORegan2022.electrolyte_transference_number_base_Landesfeind2019,
}
"""Landesfeind & Gasteiger (2019), doi:10.1149/2.0571912jes, eqs. 9 to 12, as PyBaMM has them."""

LANDESFEIND: dict[str, dict[str, list[float]]] = {
    "EC:DMC (1:1)": {
        CONDUCTIVITY: [7.98e-1, 2.28e2, -1.22, 5.09e-1, -4e-3, 3.79e-3],
        DIFFUSIVITY: [1.47e3, 1.33, -1.69e3, -5.63e2],
        FACTOR: [-5.58, 7.17, 3.80e-2, 1.91, -6.65e-2, -5.08e-5, 1.1e-1, -6.10e-3, 1.51e-4],
        TRANSFERENCE: [-7.91, 2.45e-1, 5.28e-2, 6.98e-1, -1.08e-2, -8.21e-5, 7.43e-4, -2.22e-3, 3.07e-5],
    },
    "EC:EMC (3:7)": {
        CONDUCTIVITY: [5.21e-1, 2.28e2, -1.06, 3.53e-1, -3.59e-3, 1.48e-3],
        DIFFUSIVITY: [1.01e3, 1.01, -1.56e3, -4.87e2],
        FACTOR: [2.57e1, -4.51e1, -1.77e-1, 1.94, 2.95e-1, 3.08e-4, 2.59e-1, -9.46e-3, -4.54e-4],
        TRANSFERENCE: [-1.28e1, -6.12, 8.21e-2, 9.04e-1, 3.18e-2, -1.27e-4, 1.75e-2, -3.12e-3, -3.96e-5],
    },
    "EMC:FEC (19:1)": {
        CONDUCTIVITY: [2.51e-2, 1.75e2, 1.23, 2.05e-1, -8.81e-2, 2.83e-3],
        DIFFUSIVITY: [5.86e2, 1.33, -1.38e3, -5.82e2],
        FACTOR: [3.22, -1.01e1, -1.58e-2, 6.12, 2.96e-2, 2.42e-5, -2.22e-1, -1.57e-2, 6.30e-6],
        TRANSFERENCE: [-1.22e1, -3.05, 8.38e-2, 1.78, 1.51e-3, -1.37e-4, -2.45e-2, -5.15e-3, 2.14e-5],
    },
}
"""The paper's coefficients p1, p2, ... as PyBaMM 23.4 (all three) and 26.10 (EC:EMC) have them."""


def nyman(settings: Settings, inputs: Inputs) -> Made:
    """LiPF6 in EC:EMC (3:7), at 25 degrees C for any T.

    Source: Nyman et al. (2008), doi:10.1016/j.electacta.2008.04.023, as in PyBaMM's Chen2020; transference number
    0.2594 and thermodynamic factor 1 by the public guide to electrolyte entries.
    """
    return {
        INITIAL_ELECTROLYTE: settings["c_e"],
        CONDUCTIVITY: Chen2020.electrolyte_conductivity_Nyman2008,
        DIFFUSIVITY: Chen2020.electrolyte_diffusivity_Nyman2008,
        TRANSFERENCE: 0.2594,
        FACTOR: 1.0,
    }


def landesfeind(settings: Settings, inputs: Inputs) -> Made:
    """LiPF6 in one of three solvents, each property a function of concentration and temperature."""
    coefficients = LANDESFEIND[settings["system"]]
    functions = {name: _function(form, coefficients[name]) for name, form in FORMS.items()}
    return {INITIAL_ELECTROLYTE: settings["c_e"]} | functions


def _function(form: Callable[[Any, Any, Any], Any], coefficients: list[float]) -> Callable[[Any, Any], Any]:
    def landesfeind2019(c_e: Any, T: Any) -> Any:
        return form(c_e, T, coefficients)

    return landesfeind2019
