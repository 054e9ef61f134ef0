"""Areas, volumes and masses from dimensions and densities."""

from __future__ import annotations

import math

from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import AREA, ELECTRODES, HEIGHT, IN_PARALLEL, WIDTH, of_electrode
from app.battery.functions import Inputs, Made, lacking, model_error

AGREEMENT = 1e-6
"""Relative tolerance between an area and height times width if all three are given."""
VOLUME, COOLING_AREA = "Cell volume [m3]", "Cell cooling surface area [m2]"


def electrode_area(inputs: Inputs) -> float | None:
    """Return the electrode's area [m2], or height times width; None if neither is known."""
    given = inputs.positive(AREA)[0] if AREA in inputs else None
    sides = math.prod(inputs.positive(HEIGHT, WIDTH)) if HEIGHT in inputs and WIDTH in inputs else None
    if given and sides and not math.isclose(given, sides, rel_tol=AGREEMENT):
        raise model_error(f"{AREA} is {given:g}, but {HEIGHT} times {WIDTH} is {sides:g}. Keep the one you meant.")
    return given or sides


def electrodes_in_parallel(inputs: Inputs) -> float:
    """Return the number of electrode pairs of a cell, by default 1."""
    return inputs.positive(IN_PARALLEL)[0] if IN_PARALLEL in inputs else 1.0


def area_to_square(settings: Settings, inputs: Inputs) -> Made:
    """Height = width = sqrt(area) [m]. Source: public schema, AreaToSquareWidthHeight."""
    (area,) = inputs.positive(AREA)
    return {HEIGHT: math.sqrt(area), WIDTH: math.sqrt(area)}


def jelly_roll(settings: Settings, inputs: Inputs) -> Made:
    """A cylinder's volume [m3] and whole surface [m2]. Source: public schema, JellyRollThermalDimensions."""
    radius, height = inputs.positive("Jelly roll radius [m]", "Jelly roll height [m]")
    return {VOLUME: math.pi * radius**2 * height, COOLING_AREA: 2 * math.pi * radius * (radius + height)}


def pouch(settings: Settings, inputs: Inputs) -> Made:
    """A cuboid's volume [m3] and whole surface [m2]. Source: public schema, PouchCellThermalDimensions."""
    height, width, thickness = inputs.positive("Pouch height [m]", "Pouch width [m]", "Pouch thickness [m]")
    surface = 2 * (height * width + height * thickness + width * thickness)
    return {VOLUME: height * width * thickness, COOLING_AREA: surface}


def cell_mass(settings: Settings, inputs: Inputs) -> Made:
    """The mass [kg] of all layers: thickness times density times area, for each electrode pair.

    An electrode's density is eps_AM rho_AM + eps rho_electrolyte + (1 - eps_AM - eps) rho_carbon_binder.
    Source: public API documentation, CellMass; names and the separator's share after PyBOP 26.3, `cell_mass`.
    """
    layers = ("Negative current collector", "Separator", "Positive current collector")
    plain = [f"{layer} {quantity}" for layer in layers for quantity in ("thickness [m]", "density [kg.m-3]")]
    mixed = [of_electrode(electrode, quantity) for electrode in ELECTRODES for quantity in MIXTURE]
    area = electrode_area(inputs)
    missing = [name for name in (*mixed, *plain, ELECTROLYTE_DENSITY) if name not in inputs]
    if missing or area is None:
        raise lacking(missing + [AREA] * (area is None))
    numbers = inputs.numbers(*plain)
    per_area = sum(t * rho for t, rho in zip(numbers[::2], numbers[1::2], strict=True))
    per_area += sum(_coating_mass(electrode, inputs) for electrode in ELECTRODES)
    return {"Cell mass [kg]": per_area * area * electrodes_in_parallel(inputs)}


MIXTURE = (
    "thickness [m]",
    "active material volume fraction",
    "active material density [kg.m-3]",
    "porosity",
    "carbon-binder density [kg.m-3]",
)
ELECTROLYTE_DENSITY = "Electrolyte density [kg.m-3]"


def _coating_mass(electrode: str, inputs: Inputs) -> float:
    """Mass of a filled electrode per area [kg.m-2]."""
    thickness, active, rho_active, porosity, rho_binder = inputs.numbers(
        *(of_electrode(electrode, quantity) for quantity in MIXTURE)
    )
    binder = 1 - active - porosity
    if binder < -AGREEMENT:
        raise model_error(f"In the {electrode} electrode, active material and pores fill {1 - binder:g} of the volume.")
    return thickness * (active * rho_active + porosity * inputs.number(ELECTROLYTE_DENSITY) + binder * rho_binder)
