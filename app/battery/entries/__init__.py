"""Registry of the public schema's named entries: their fields and functions, or the reason for refusing them."""

from __future__ import annotations

from app.battery.checks.fields import Field, absent, breakpoints, number, one_of, text
from app.battery.entries import constants, degradation, electrolyte, functions, interpolation
from app.battery.expressions.parameter_names import ELECTRODE, PHASE
from app.battery.functions import ElementFunction

CONCENTRATION = {"c_e": Field(number(above=0))}
TEMPERATURE = number(above=0)
SMOOTHING = Field(number(above=0), 1e-4)
NO_DIRECTION = Field(lambda value: None if value == "" else absent(value), "")
ONE_ELECTRODE = {"electrode": ELECTRODE, "direction": NO_DIRECTION, "phase": PHASE}
# The size of the function limits the number of breakpoints: `guard` bounds what can be read back.
INTERPOLATION = {
    "base_parameter_name": Field(text),
    "formulation": Field(one_of("knots", "slopes"), "knots"),
}

ENTRIES: dict[str, ElementFunction] = {
    "InitialStateOfCharge": ElementFunction({"value": Field(number(0, 100))}, constants.initial_state_of_charge),
    "InitialTemperature": ElementFunction({"value": Field(TEMPERATURE)}, constants.initial_temperature),
    "InitialVoltage": ElementFunction({"value": Field(number())}, constants.initial_voltage),
    "PiecewiseInterpolation1D": ElementFunction(
        INTERPOLATION
        | {
            "breakpoint_values": Field(breakpoints(20)),
            "breakpoint_parameter_name": Field(text),
            "smoothing": SMOOTHING,
        },
        interpolation.piecewise_1d,
    ),
    "PiecewiseInterpolation2D": ElementFunction(
        INTERPOLATION
        | {
            "breakpoint1_values": Field(breakpoints(10)),
            "breakpoint1_parameter_name": Field(text),
            "breakpoint2_values": Field(breakpoints(10)),
            "breakpoint2_parameter_name": Field(text),
            "smoothing1": SMOOTHING,
            "smoothing2": SMOOTHING,
        },
        interpolation.piecewise_2d,
    ),
    "arrhenius_butler_volmer_exchange_current_density": ElementFunction(
        ONE_ELECTRODE, functions.butler_volmer_exchange_current
    ),
    "arrhenius_electrolyte_conductivity": ElementFunction({}, functions.electrolyte_conductivity),
    "arrhenius_electrolyte_diffusivity": ElementFunction({}, functions.electrolyte_diffusivity),
    "arrhenius_particle_diffusivity": ElementFunction(ONE_ELECTRODE, functions.particle_diffusivity),
    "average_ocp": ElementFunction(
        {"electrode": ELECTRODE, "phase": Field(one_of("primary", "secondary"), None)}, functions.average_ocp
    ),
    "bruggeman": ElementFunction(
        {"electrode": Field(number(0), 0), "electrolyte": Field(number(0), 1.5)}, constants.bruggeman
    ),
    "constant_electrolyte": ElementFunction(CONCENTRATION, constants.constant_electrolyte),
    "landesfeind_electrolyte": ElementFunction(
        CONCENTRATION | {"system": Field(one_of(*electrolyte.LANDESFEIND))}, electrolyte.landesfeind
    ),
    "li_plating_defaults": ElementFunction({}, degradation.li_plating_defaults),
    "mechanical_degradation_defaults": ElementFunction(
        {"electrode": ELECTRODE}, degradation.mechanical_degradation_defaults
    ),
    "nyman_electrolyte": ElementFunction(CONCENTRATION, electrolyte.nyman),
    "one_cm2_cell": ElementFunction({}, constants.one_cm2_cell),
    "sei_defaults": ElementFunction({}, degradation.sei_defaults),
    "standard_defaults": ElementFunction({}, constants.standard_defaults),
    "temperatures": ElementFunction({"T": Field(TEMPERATURE, 298.15)}, constants.temperatures),
    "zero_activation_energy": ElementFunction({}, constants.zero_activation_energy),
    "zero_entropic_change": ElementFunction({}, constants.zero_entropic_change),
}

REFUSED_ENTRIES: dict[str, str] = {
    "BaseInterpolation": "name PiecewiseInterpolation1D or PiecewiseInterpolation2D",
    "DirectEntry": "give its parameters as `values`",
    "from_json": "it would read a file of the server; give what the file holds as `values`",
    "lithium_metal_anode": "its values are not public",
    "spm_defaults": "its values are not public",
}
"""Reasons for refusing the other entries of the public schema."""
