"""Densities and heat capacities of a whole cell."""

from __future__ import annotations

from app.battery.checks.fields import Settings
from app.battery.functions import Inputs, Made

MASS, HEAT_CAPACITY = "Cell mass [kg]", "Cell heat capacity [J.K-1]"
DENSITY, SPECIFIC_HEAT = "Cell density [kg.m-3]", "Cell specific heat capacity [J.kg-1.K-1]"
COMPONENTS = (
    "Negative current collector",
    "Negative electrode",
    "Separator",
    "Positive electrode",
    "Positive current collector",
)


def density(settings: Settings, inputs: Inputs) -> Made:
    """Mass over volume [kg.m-3]. Source: public schema, DensityFromVolumeAndMass."""
    mass, volume = inputs.positive(MASS, "Cell volume [m3]")
    return {DENSITY: mass / volume}


def specific_heat_capacity(settings: Settings, inputs: Inputs) -> Made:
    """Heat capacity over mass [J.kg-1.K-1]. Source: docs.ionworks.com, pipelines/calculations/thermal."""
    heat, mass = inputs.positive(HEAT_CAPACITY, MASS)
    return {SPECIFIC_HEAT: heat / mass}


def lumped(settings: Settings, inputs: Inputs) -> Made:
    """Every component gets the cell's specific heat capacity and density.

    Source: public schema, LumpedHeatCapacityAndDensity; the five components as PyBaMM's BPX reader sets them.
    """
    specific_heat, rho = inputs.positive(SPECIFIC_HEAT, DENSITY)
    heats = {f"{component} specific heat capacity [J.kg-1.K-1]": specific_heat for component in COMPONENTS}
    return heats | {f"{component} density [kg.m-3]": rho for component in COMPONENTS}
