"""Entry functions that set numbers."""

from __future__ import annotations

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import (
    AMBIENT_TEMPERATURE,
    ELECTRODES,
    HEIGHT,
    IN_PARALLEL,
    INITIAL_ELECTROLYTE,
    INITIAL_TEMPERATURE,
    REFERENCE_TEMPERATURE,
    WIDTH,
    of_electrode,
)
from app.battery.functions import Inputs, Made

ACTIVATION_ENERGIES = (
    *(f"{electrode.capitalize()} particle diffusivity activation energy [J.mol-1]" for electrode in ELECTRODES),
    *(of_electrode(electrode, "reaction activation energy [J.mol-1]") for electrode in ELECTRODES),
    "Electrolyte diffusivity activation energy [J.mol-1]",
    "Electrolyte conductivity activation energy [J.mol-1]",
)
"""Activation energies that the Arrhenius entries read."""


def temperatures(settings: Settings, inputs: Inputs) -> Made:
    """All three at T [K]. Source: public schema, Temperatures."""
    return dict.fromkeys((REFERENCE_TEMPERATURE, AMBIENT_TEMPERATURE, INITIAL_TEMPERATURE), settings["T"])


def initial_temperature(settings: Settings, inputs: Inputs) -> Made:
    """[K]. Source: public schema, InitialTemperature.to_config."""
    return dict.fromkeys((AMBIENT_TEMPERATURE, INITIAL_TEMPERATURE), settings["value"])


def initial_state_of_charge(settings: Settings, inputs: Inputs) -> Made:
    """[%]. Source: public schema, InitialStateOfCharge.to_config."""
    return {"Initial SOC [%]": settings["value"]}


def initial_voltage(settings: Settings, inputs: Inputs) -> Made:
    """[V]. Source: public schema, InitialVoltage.to_config."""
    return {"Initial voltage [V]": settings["value"]}


def bruggeman(settings: Settings, inputs: Inputs) -> Made:
    """Exponents of the solid and, also in the separator, of the electrolyte.

    Source: public schema, Bruggeman; the parameters' names are PyBaMM's.
    """
    solid = {of_electrode(each, "Bruggeman coefficient (electrode)"): settings["electrode"] for each in ELECTRODES}
    liquid = [of_electrode(each, "Bruggeman coefficient (electrolyte)") for each in ELECTRODES]
    liquid.append("Separator Bruggeman coefficient (electrolyte)")
    return solid | dict.fromkeys(liquid, settings["electrolyte"])


def constant_electrolyte(settings: Settings, inputs: Inputs) -> Made:
    """The initial concentration [mol.m-3] and nothing else. Source: public schema, ConstantElectrolyte."""
    return {INITIAL_ELECTROLYTE: settings["c_e"]}


def zero_entropic_change(settings: Settings, inputs: Inputs) -> Made:
    """[V.K-1]. Source: public schema, ZeroEntropicChange."""
    return {of_electrode(electrode, "OCP entropic change [V.K-1]"): 0.0 for electrode in ELECTRODES}


def zero_activation_energy(settings: Settings, inputs: Inputs) -> Made:
    """Activation energies of diffusion, reaction and electrolyte transport [J.mol-1].

    Source: public schema, ZeroActivationEnergy."""
    return dict.fromkeys(ACTIVATION_ENERGIES, 0.0)


def standard_defaults(settings: Settings, inputs: Inputs) -> Made:
    """One cell, one electrode pair. Source: public schema, StandardDefaults."""
    return {"Number of cells connected in series to make a battery": 1, IN_PARALLEL: 1}


def one_cm2_cell(settings: Settings, inputs: Inputs) -> Made:
    """1 cm by 1 cm, in m. Source: public schema, OneCm2Cell."""
    return {HEIGHT: 0.01, WIDTH: 0.01}
