"""Registry of the public schema's calculations: their fields and functions, or the reason for refusing them."""

from __future__ import annotations

from collections.abc import Callable

from app.battery.calculations import (
    capacity,
    electrode_soh,
    geometry,
    microstructure,
    msmr,
    slopes,
    stoichiometry,
    thermal,
)
from app.battery.checks.fields import Field, Settings, absent, breakpoints, flag, limits, number, one_of, options, text
from app.battery.functions import ElementFunction, Inputs, Made
from app.battery.parameter_names import ELECTRODE, PHASE

ONE_PHASE = Field(lambda value: None if value in (["1", "1"], ("1", "1")) else 'takes ["1", "1"] only', ["1", "1"])
ONE_OF_PHASES = Field(one_of("primary", "secondary"), None)
BREAKPOINTS = Field(breakpoints(100))
AXIS_1 = {"breakpoint1_values": BREAKPOINTS, "breakpoint1_parameter_name": Field(text)}
AXIS_2 = {"breakpoint2_values": BREAKPOINTS, "breakpoint2_parameter_name": Field(text)}
KNOWN = Field(one_of("cyclable lithium capacity", "cell capacity"), "cyclable lithium capacity")
OCP_OPTIONS = {
    "interpolator": Field(one_of("linear", "cubic", "pchip"), "linear"),
    "tolerance": Field(number(0, 0.1), 1e-6),
    "direction": Field(absent, None),
    "phase": Field(absent, None),
    "create_lithiation_function": Field(flag, True),
}


def _plain(run: Callable[[Settings, Inputs], Made], **fields: Field) -> ElementFunction:
    return ElementFunction(fields, run)


CALCULATIONS: dict[str, ElementFunction] = {
    "AreaToSquareWidthHeight": _plain(geometry.area_to_square),
    "CellMass": _plain(geometry.cell_mass, model_options=Field(one_of({}), None)),
    "CyclableLithium": _plain(
        capacity.cyclable_lithium,
        method=Field(one_of("electrode capacities", "formation loss"), "electrode capacities"),
        options=options({"particle phases": ONE_PHASE}),
    ),
    "DensityFromVolumeAndMass": _plain(thermal.density),
    "ElectrodeCapacity": _plain(
        capacity.electrode_capacity,
        electrode=ELECTRODE,
        use_stoich_window=Field(flag, False),
        method=Field(one_of("auto", "capacity", "loading"), "auto"),
        phase=PHASE,
    ),
    "ElectrodeSOH": _plain(
        electrode_soh.electrode_soh,
        options=options({"known value": KNOWN}),
    ),
    "ElectrodeVolumeFractionFromLoading": _plain(
        microstructure.volume_fraction_from_loading, electrode=ELECTRODE, method=Field(one_of("loading"))
    ),
    "ElectrodeVolumeFractionFromPorosity": _plain(microstructure.volume_fraction_from_porosity, electrode=ELECTRODE),
    "HalfCellNominalCapacity": _plain(capacity.half_cell_nominal_capacity, electrode=ELECTRODE),
    "InitialConcentrationFromInitialStoichiometryHalfCell": _plain(
        stoichiometry.concentration_from_stoichiometry,
        electrode=ELECTRODE,
        options=options({"phase": ONE_OF_PHASES}),
    ),
    "InitialSOC": _plain(stoichiometry.initial_soc, soc=Field(number(0, 1))),
    "InitialSOCHalfCell": _plain(
        stoichiometry.initial_soc_half_cell,
        electrode=ELECTRODE,
        soc=Field(stoichiometry.state_of_charge),
        options=options({"phase": ONE_OF_PHASES}),
    ),
    "JellyRollThermalDimensions": _plain(geometry.jelly_roll),
    "LumpedHeatCapacityAndDensity": _plain(thermal.lumped),
    "OCPMSMRInterpolant": _plain(
        msmr.ocp_interpolant,
        electrode=ELECTRODE,
        voltage_limits=Field(limits),
        options=options(OCP_OPTIONS),
    ),
    "OpenCircuitLimits": _plain(stoichiometry.open_circuit_limits),
    "PorosityFromElectrodeVolumeFraction": _plain(microstructure.porosity_from_volume_fraction, electrode=ELECTRODE),
    "PouchCellThermalDimensions": _plain(geometry.pouch),
    "SlopesToKnots": _plain(
        slopes.slopes_to_knots,
        base_parameter_name=Field(text),
        breakpoint_values=BREAKPOINTS,
        breakpoint_parameter_name=Field(text),
    ),
    "SlopesToKnots2D": _plain(slopes.slopes_to_knots_2d, base_parameter_name=Field(text), **AXIS_1, **AXIS_2),
    "SpecificHeatCapacity": _plain(thermal.specific_heat_capacity),
    "SurfaceAreaToVolumeRatio": _plain(microstructure.surface_area_to_volume, electrode=ELECTRODE),
}

_NAMES = "the public documentation does not name the parameters that it reads or writes"
_DATA = "it works on measured data, which calculations here do not read yet"
_HALF_CELL = "half-cell states of health are not supported yet; the public documentation does not name their results"
REFUSED_CALCULATIONS: dict[str, str] = {
    "ArrheniusDiffusivityFromMSMRData": _DATA,
    "ArrheniusDiffusivityFromMSMRFunction": "MSMR diffusivities are not supported yet",
    "ArrheniusLogLinear": _DATA,
    "AverageMSMRParameters": _NAMES,
    "DiameterToSquareWidthHeight": _NAMES,
    "DiffusivityDataInterpolant": _DATA,
    "DiffusivityFromMSMRData": _DATA,
    "DiffusivityFromMSMRFunction": "MSMR diffusivities are not supported yet",
    "DiffusivityFromPulse": _DATA,
    "ElectrodeBalanceFromFirstCycleEfficiency": _NAMES,
    "ElectrodeGeometryFromLoading": _NAMES,
    "ElectrodeSOHHalfCell": _HALF_CELL,
    "EntropicChangeDataInterpolant": _DATA,
    "EntropicChangeFromMSMRFunction": _NAMES,
    "InitialSOCfromMaximumStoichiometry": _NAMES,
    "InitialStoichiometryFromVoltageHalfCell": _NAMES,
    "InitialStoichiometryFromVoltageMSMRHalfCell": _NAMES,
    "InitialVoltageFromConcentration": "the public documentation does not say between which voltages it inverts",
    "MSMRElectrodeSOHHalfCell": _HALF_CELL,
    "MSMRFullCellCapacities": _DATA,
    "MSMRFunction": _NAMES,
    "OCPDataInterpolant": _DATA,
    "OCPDataInterpolantMSMRExtrapolation": _DATA,
    "StoichiometryAtMinimumSOC": _NAMES,
    "StoichiometryLimitsFromCapacity": _NAMES,
}
"""Reasons for refusing the other calculations of the public schema."""
