"""Initial stoichiometries and concentrations, and the voltages at the ends of the state of charge."""

from __future__ import annotations

from app.battery.checks.fields import Settings, is_number
from app.battery.expressions.parameter_names import (
    ELECTRODES,
    initial_concentration,
    initial_stoichiometry,
    maximum_concentration,
    open_circuit_voltage,
    stoichiometry_at,
)
from app.battery.functions import Inputs, Made

WORDS = {"0%": 0.0, "minimum": 0.0, "100%": 1.0, "maximum": 1.0}
"""Words that InitialSOCHalfCell accepts for a state of charge besides numbers."""


def state_of_charge(value: object) -> str | None:
    if value in WORDS if isinstance(value, str) else is_number(value) and 0 <= value <= 1:  # type: ignore[operator]
        return None
    return f"must be a number from 0 to 1, or one of {', '.join(WORDS)}"


def _at(electrode: str, soc: float, inputs: Inputs, phase: str | None = None) -> Made:
    """theta = theta_0 + SOC (theta_100 - theta_0), and c = theta c_max [mol.m-3]."""
    empty, full, maximum = inputs.numbers(*_window(electrode, phase))
    theta = empty + soc * (full - empty)
    return {initial_stoichiometry(electrode, phase): theta, initial_concentration(electrode, phase): theta * maximum}


def _window(electrode: str, phase: str | None = None) -> list[str]:
    ends = [stoichiometry_at(electrode, percent, phase) for percent in (0, 100)]
    return [*ends, maximum_concentration(electrode, phase)]


def initial_soc(settings: Settings, inputs: Inputs) -> Made:
    """Both electrodes at a state of charge. Source: public schema and API documentation, InitialSOC."""
    inputs.require(*(name for electrode in ELECTRODES for name in _window(electrode)))
    return _at("negative", settings["soc"], inputs) | _at("positive", settings["soc"], inputs)


def initial_soc_half_cell(settings: Settings, inputs: Inputs) -> Made:
    """The working electrode at a state of charge. Source: public schema and API documentation, InitialSOCHalfCell."""
    soc = settings["soc"]
    phase = settings["options"]["phase"]
    return _at(settings["electrode"], WORDS[soc] if isinstance(soc, str) else soc, inputs, phase)


def concentration_from_stoichiometry(settings: Settings, inputs: Inputs) -> Made:
    """c = theta c_max [mol.m-3].

    Source: public schema, InitialConcentrationFromInitialStoichiometryHalfCell.
    """
    electrode, phase = settings["electrode"], settings["options"]["phase"]
    theta, maximum = inputs.numbers(initial_stoichiometry(electrode, phase), maximum_concentration(electrode, phase))
    return {initial_concentration(electrode, phase): theta * maximum}


def open_circuit_limits(settings: Settings, inputs: Inputs) -> Made:
    """The cut-off voltages [V] are those at 0% and 100%. Source: public schema, OpenCircuitLimits."""
    low, high = inputs.numbers("Lower voltage cut-off [V]", "Upper voltage cut-off [V]")
    return {open_circuit_voltage(0): low, open_circuit_voltage(100): high}
