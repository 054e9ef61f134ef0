"""Degradation parameters of O'Kane et al. (2022), doi:10.1039/D2CP00417H, as PyBaMM's OKane2022 has them."""

from __future__ import annotations

from pybamm.input.parameters.lithium_ion import OKane2022

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import of_electrode
from app.battery.functions import Inputs, Made

SEI = (
    "Ratio of lithium moles to SEI moles",
    "SEI partial molar volume [m3.mol-1]",
    "SEI reaction exchange current density [A.m-2]",
    "SEI resistivity [Ohm.m]",
    "SEI solvent diffusivity [m2.s-1]",
    "Bulk solvent concentration [mol.m-3]",
    "SEI open-circuit potential [V]",
    "SEI electron conductivity [S.m-1]",
    "SEI lithium interstitial diffusivity [m2.s-1]",
    "Lithium interstitial reference concentration [mol.m-3]",
    "Initial SEI thickness [m]",
    "Initial SEI on cracks thickness [m]",
    "EC initial concentration in electrolyte [mol.m-3]",
    "EC diffusivity [m2.s-1]",
    "SEI kinetic rate constant [m.s-1]",
    "SEI growth activation energy [J.mol-1]",
)
PLATING = (
    "Lithium metal partial molar volume [m3.mol-1]",
    "Lithium plating kinetic rate constant [m.s-1]",
    "Exchange-current density for plating [A.m-2]",
    "Exchange-current density for stripping [A.m-2]",
    "Initial plated lithium concentration [mol.m-3]",
    "Typical plated lithium concentration [mol.m-3]",
    "Lithium plating transfer coefficient",
    "Dead lithium decay constant [s-1]",
    "Dead lithium decay rate [s-1]",
)
MECHANICAL = (
    "Poisson's ratio",
    "Young's modulus [Pa]",
    "reference concentration for free of deformation [mol.m-3]",
    "partial molar volume [m3.mol-1]",
    "volume change",
    "initial crack length [m]",
    "initial crack width [m]",
    "number of cracks per unit area [m-2]",
    "Paris' law constant b",
    "Paris' law constant m",
    "cracking rate",
    "LAM constant proportional term [s-1]",
    "LAM constant exponential term",
    "critical stress [Pa]",
)


def _from_okane(names: tuple[str, ...]) -> Made:
    values = OKane2022.get_parameter_values()
    return {name: values[name] for name in names}


def sei_defaults(settings: Settings, inputs: Inputs) -> Made:
    """Growth of the solid-electrolyte interphase."""
    return _from_okane(SEI)


def li_plating_defaults(settings: Settings, inputs: Inputs) -> Made:
    """Plating and stripping of lithium, and its decay to dead lithium."""
    return _from_okane(PLATING)


def mechanical_degradation_defaults(settings: Settings, inputs: Inputs) -> Made:
    """Cracks, volume change and loss of active material in one electrode."""
    return _from_okane(tuple(of_electrode(settings["electrode"], quantity) for quantity in MECHANICAL))
