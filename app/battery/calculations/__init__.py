"""Registry of the public schema's calculations: their fields and functions, or the reason for refusing them."""

from __future__ import annotations

from collections.abc import Callable

from app.battery.calculations import (
    capacity,
    data_interpolants,
    electrode_soh,
    geometry,
    microstructure,
    msmr,
    msmr_diffusivity,
    pulse_diffusivity,
    slopes,
    stoichiometry,
    thermal,
)
from app.battery.checks.fields import (
    Field,
    Settings,
    absent,
    breakpoints,
    flag,
    limits,
    number,
    one_of,
    options,
    text,
    whole,
)
from app.battery.expressions.parameter_names import ELECTRODE, PHASE
from app.battery.functions import ElementFunction, Inputs, Made

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


INTERPOLATOR = Field(one_of("linear", "cubic", "pchip"), "linear")
TOLERANCE = Field(number(0, 0.1), 1e-6)
BRANCH = Field(one_of("lithiation", "delithiation"), None)
NO_DIRECTION = Field(lambda value: None if value == "" else absent(value), "")
OF_PARTICLES = {"electrode": ELECTRODE, "direction": NO_DIRECTION, "phase": PHASE}
MEASURED_OCP = {"interpolator": INTERPOLATOR, "tolerance": TOLERANCE, "direction": BRANCH, "phase": ONE_OF_PHASES}
MEASURED_DIFFUSIVITY = {
    "interpolator": INTERPOLATOR,
    "transformation": Field(one_of("none", "log"), "none"),
    "scale factor": Field(one_of(False), False),
}
MEASURED_ENTROPIC_CHANGE = {
    "tolerance": TOLERANCE,
    "interpolator": INTERPOLATOR,
    "phase": ONE_OF_PHASES,
    "scale factor": Field(number(), 1.0),
}
MSMR_DIFFUSIVITY = {
    "interpolator": INTERPOLATOR,
    "x tolerance": Field(number(0, 0.1), 1e-6),
    "minimum dUdx": Field(number(above=0), 1e-6),
}
PULSE = {
    "step number": Field(whole(0, 10**9), None),
    "dt_IR": Field(number(0), None),
    "dt_pulse": Field(number(above=0), None),
}
DATA = Field(lambda value: None)
"""Measured data, which the loader of the calculation checks."""
OCP_DATA = data_interpolants.columns_of_stoichiometry(data_interpolants.VOLTAGE)


def _over_data(
    run: Callable[[Settings, Inputs], Made], load: data_interpolants.Load, **fields: Field
) -> ElementFunction:
    return ElementFunction({"data": DATA, **fields}, run, load)


def _plain(run: Callable[[Settings, Inputs], Made], **fields: Field) -> ElementFunction:
    return ElementFunction(fields, run)


CALCULATIONS: dict[str, ElementFunction] = {
    "AreaToSquareWidthHeight": _plain(geometry.area_to_square),
    "ArrheniusDiffusivityFromMSMRData": _over_data(
        msmr_diffusivity.arrhenius_from_data, OCP_DATA, **OF_PARTICLES, options=options(MSMR_DIFFUSIVITY)
    ),
    "ArrheniusDiffusivityFromMSMRFunction": _plain(
        msmr_diffusivity.arrhenius_from_function,
        **OF_PARTICLES,
        voltage_limits=Field(limits),
        options=options(MSMR_DIFFUSIVITY),
    ),
    "CellMass": _plain(geometry.cell_mass, model_options=Field(one_of({}), None)),
    "CyclableLithium": _plain(
        capacity.cyclable_lithium,
        method=Field(one_of("electrode capacities", "formation loss"), "electrode capacities"),
        options=options({"particle phases": ONE_PHASE}),
    ),
    "DensityFromVolumeAndMass": _plain(thermal.density),
    "DiffusivityDataInterpolant": _over_data(
        data_interpolants.diffusivity,
        data_interpolants.columns_of_stoichiometry(data_interpolants.DIFFUSIVITY),
        **OF_PARTICLES,
        options=options(MEASURED_DIFFUSIVITY),
    ),
    "DiffusivityFromMSMRData": _over_data(
        msmr_diffusivity.from_data, OCP_DATA, **OF_PARTICLES, options=options(MSMR_DIFFUSIVITY)
    ),
    "DiffusivityFromMSMRFunction": _plain(
        msmr_diffusivity.from_function,
        **OF_PARTICLES,
        voltage_limits=Field(limits),
        options=options(MSMR_DIFFUSIVITY),
    ),
    "DiffusivityFromPulse": _over_data(
        pulse_diffusivity.diffusivity, pulse_diffusivity.pulse_data, **OF_PARTICLES, options=options(PULSE)
    ),
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
    "EntropicChangeDataInterpolant": _over_data(
        data_interpolants.entropic_change,
        data_interpolants.columns_of_stoichiometry(data_interpolants.ENTROPIC),
        electrode=ELECTRODE,
        options=options(MEASURED_ENTROPIC_CHANGE),
    ),
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
    "OCPDataInterpolant": _over_data(
        data_interpolants.ocp, OCP_DATA, electrode=ELECTRODE, options=options(MEASURED_OCP)
    ),
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
_COLUMNS = "the public documentation names neither the columns that it reads nor the parameters that it writes"
_HALF_CELL = "half-cell states of health are not supported yet; the public documentation does not name their results"
REFUSED_CALCULATIONS: dict[str, str] = {
    "ArrheniusLogLinear": _COLUMNS,
    "AverageMSMRParameters": _NAMES,
    "DiameterToSquareWidthHeight": _NAMES,
    "ElectrodeBalanceFromFirstCycleEfficiency": _NAMES,
    "ElectrodeGeometryFromLoading": _NAMES,
    "ElectrodeSOHHalfCell": _HALF_CELL,
    "EntropicChangeFromMSMRFunction": _NAMES,
    "InitialSOCfromMaximumStoichiometry": _NAMES,
    "InitialStoichiometryFromVoltageHalfCell": _NAMES,
    "InitialStoichiometryFromVoltageMSMRHalfCell": _NAMES,
    "InitialVoltageFromConcentration": "the public documentation does not say between which voltages it inverts",
    "MSMRElectrodeSOHHalfCell": _HALF_CELL,
    "MSMRFullCellCapacities": _NAMES,
    "MSMRFunction": _NAMES,
    "OCPDataInterpolantMSMRExtrapolation": "the public documentation does not give the width of its blending",
    "StoichiometryAtMinimumSOC": _NAMES,
    "StoichiometryLimitsFromCapacity": _NAMES,
}
"""Reasons for refusing the other calculations of the public schema."""
