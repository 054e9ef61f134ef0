"""Volume fractions and surfaces of an electrode."""

from __future__ import annotations

import pybamm

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import maximum_concentration, of_electrode
from app.battery.functions import Inputs, Made, model_error

FARADAY = float(pybamm.constants.F.value)
"""C.mol-1"""
SECONDS_PER_HOUR = 3600
CM2_PER_M2 = 1e4

ACTIVE, POROSITY = "active material volume fraction", "porosity"
LOADING, THICKNESS = "loading [A.h.cm-2]", "thickness [m]"
OF_SOLID = "active volume fraction of solid"


def fraction(name: str, value: float) -> Made:
    """Return a volume fraction. Raises JobFailed outside of 0 to 1, which means inconsistent inputs."""
    if not 0 <= value <= 1:
        raise model_error(f"{name} comes out as {value:g}, which is no fraction: the inputs do not fit together.")
    return {name: value}


def surface_area_to_volume(settings: Settings, inputs: Inputs) -> Made:
    """a = 3 eps_AM / R [m-1], for spheres. Source: public schema, SurfaceAreaToVolumeRatio."""
    electrode = settings["electrode"]
    active, radius = inputs.positive(of_electrode(electrode, ACTIVE), f"{electrode.capitalize()} particle radius [m]")
    return {of_electrode(electrode, "surface area to volume ratio [m-1]"): 3 * active / radius}


def volume_fraction_from_loading(settings: Settings, inputs: Inputs) -> Made:
    """eps_AM = Q_loading / (L c_max F / 3600).

    Source: public API documentation, ElectrodeVolumeFractionFromLoading; the loading is per cm2, as its name says.
    """
    electrode = settings["electrode"]
    loading, thickness, concentration = inputs.positive(
        of_electrode(electrode, LOADING), of_electrode(electrode, THICKNESS), maximum_concentration(electrode)
    )
    capacity = thickness * concentration * FARADAY / SECONDS_PER_HOUR  # A.h.m-2 of solid active material
    return fraction(of_electrode(electrode, ACTIVE), loading * CM2_PER_M2 / capacity)


def volume_fraction_from_porosity(settings: Settings, inputs: Inputs) -> Made:
    """eps_AM = (1 - eps) f, with f the active share of the solid.

    Source: public schema, ElectrodeVolumeFractionFromPorosity and, for the same relation, ElectrodeGeometryFromLoading.
    """
    electrode = settings["electrode"]
    porosity, of_solid = inputs.numbers(of_electrode(electrode, POROSITY), of_electrode(electrode, OF_SOLID))
    return fraction(of_electrode(electrode, ACTIVE), (1 - porosity) * of_solid)


def porosity_from_volume_fraction(settings: Settings, inputs: Inputs) -> Made:
    """eps = 1 - eps_AM / f, with f the active share of the solid: 1 unless given.

    Source: public schema, ElectrodeGeometryFromLoading, of which PorosityFromElectrodeVolumeFraction is the case f = 1.
    """
    electrode = settings["electrode"]
    of_solid = of_electrode(electrode, OF_SOLID)
    (active,) = inputs.numbers(of_electrode(electrode, ACTIVE))
    share = inputs.positive(of_solid)[0] if of_solid in inputs else 1.0
    return fraction(of_electrode(electrode, POROSITY), 1 - active / share)
