"""Entry functions that leave their coefficients as parameters, to be entered or fitted elsewhere."""

from __future__ import annotations

from typing import Any

import pybamm

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import INITIAL_ELECTROLYTE, PHASES, REFERENCE_TEMPERATURE, of_electrode
from app.battery.functions import Inputs, Made

ELECTROLYTE_REFERENCE_TEMPERATURE = 298.15
"""Reference temperature in K, at which the electrolyte's Arrhenius factor is 1, by the public API documentation."""


def _arrhenius(energy: str, temperature: Any, reference: Any) -> Any:
    """exp(E / R (1 / T_ref - 1 / T))."""
    return pybamm.exp(pybamm.Parameter(energy) / pybamm.constants.R * (1 / reference - 1 / temperature))


def butler_volmer_exchange_current(settings: Settings, inputs: Inputs) -> Made:
    """j0 = j0_ref (c_e / c_e0)^0.5 (c_s / c_max)^0.5 (1 - c_s / c_max)^0.5 exp(E / R (1 / T_ref - 1 / T)) [A.m-2].

    Source: public API documentation, arrhenius_butler_volmer_exchange_current_density.
    """
    electrode, phase = settings["electrode"], settings["phase"]
    reference = of_electrode(electrode, "reference exchange-current density [A.m-2]", phase)
    energy = of_electrode(electrode, "reaction activation energy [J.mol-1]", phase)

    def exchange_current(c_e: Any, c_s_surf: Any, c_s_max: Any, T: Any) -> Any:
        liquid = (c_e / pybamm.Parameter(INITIAL_ELECTROLYTE)) ** 0.5
        solid = (c_s_surf / c_s_max) ** 0.5 * (1 - c_s_surf / c_s_max) ** 0.5
        heat = _arrhenius(energy, T, pybamm.Parameter(REFERENCE_TEMPERATURE))
        return pybamm.Parameter(reference) * liquid * solid * heat

    return {of_electrode(electrode, "exchange-current density [A.m-2]", phase): exchange_current}


def particle_diffusivity(settings: Settings, inputs: Inputs) -> Made:
    """D = D_ref(sto) exp(E / R (1 / T_ref - 1 / T)) [m2.s-1], with D_ref a number or a function.

    Source: public API documentation, arrhenius_particle_diffusivity.
    """
    particle = f"{PHASES[settings['phase']]}{settings['electrode'].capitalize()} particle"

    def diffusivity(sto: Any, T: Any) -> Any:
        inputs = {f"{particle} stoichiometry": sto}
        reference = pybamm.FunctionParameter(f"{particle} reference diffusivity [m2.s-1]", inputs)
        energy = f"{particle} diffusivity activation energy [J.mol-1]"
        return reference * _arrhenius(energy, T, pybamm.Parameter(REFERENCE_TEMPERATURE))

    return {f"{particle} diffusivity [m2.s-1]": diffusivity}


def electrolyte_diffusivity(settings: Settings, inputs: Inputs) -> Made:
    """D = D_ref(c_e) exp(E / R (1 / 298.15 - 1 / T)) [m2.s-1].

    Source: public API documentation, arrhenius_electrolyte_diffusivity.
    """
    return _electrolyte("diffusivity", "[m2.s-1]")


def electrolyte_conductivity(settings: Settings, inputs: Inputs) -> Made:
    """kappa = kappa_ref(c_e) exp(E / R (1 / 298.15 - 1 / T)) [S.m-1].

    Source: public API documentation, arrhenius_electrolyte_conductivity.
    """
    return _electrolyte("conductivity", "[S.m-1]")


def _electrolyte(property_: str, unit: str) -> Made:
    def transport(c_e: Any, T: Any) -> Any:
        inputs = {"Electrolyte concentration [mol.m-3]": c_e}
        reference = pybamm.FunctionParameter(f"Electrolyte reference {property_} {unit}", inputs)
        energy = f"Electrolyte {property_} activation energy [J.mol-1]"
        return reference * _arrhenius(energy, T, ELECTROLYTE_REFERENCE_TEMPERATURE)

    return {f"Electrolyte {property_} {unit}": transport}


def average_ocp(settings: Settings, inputs: Inputs) -> Made:
    """U = (U_lithiation + U_delithiation) / 2 [V].

    Source: public schema, AverageOCP; the two branches have PyBaMM's names.
    """
    electrode, phase = settings["electrode"], settings["phase"]
    branches = [of_electrode(electrode, f"{branch} OCP [V]", phase) for branch in ("lithiation", "delithiation")]

    def ocp(sto: Any) -> Any:
        first, second = (
            pybamm.FunctionParameter(branch, {f"{electrode.capitalize()} particle stoichiometry": sto})
            for branch in branches
        )
        return (first + second) / 2

    return {of_electrode(electrode, "OCP [V]", phase): ocp}
