"""Electrode capacities and cyclable lithium."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from app.battery.calculations.geometry import electrode_area, electrodes_in_parallel
from app.battery.calculations.microstructure import (
    ACTIVE,
    CM2_PER_M2,
    FARADAY,
    LOADING,
    SECONDS_PER_HOUR,
    THICKNESS,
    fraction,
)
from app.battery.checks.fields import Settings
from app.battery.expressions.parameter_names import (
    AREA,
    CYCLABLE_LITHIUM,
    ELECTRODES,
    NOMINAL_CAPACITY,
    initial_stoichiometry,
    maximum_concentration,
    of_electrode,
    stoichiometry_at,
)
from app.battery.functions import Inputs, Made, lacking, model_error

CAPACITY = "capacity [A.h]"
LOST = "Formation lithium loss"


@dataclass(frozen=True, slots=True)
class _Equation:
    """Relation capacity = scale * product of factors; None for an unknown quantity."""

    capacity: tuple[str, float | None]
    scale: float
    factors: dict[str, float | None]

    @property
    def unknown(self) -> list[str]:
        return [name for name, value in (self.capacity, *self.factors.items()) if value is None]

    def solved(self) -> tuple[str, float]:
        """Return the only unknown and its value."""
        if not self.unknown:
            raise model_error(f"Nothing is unknown: leave out one of {', '.join([self.capacity[0], *self.factors])}.")
        if len(self.unknown) > 1:
            raise lacking(self.unknown, " Give all but one of them.")
        product = self.scale * prod(value for value in self.factors.values() if value is not None)
        capacity = self.capacity[1]
        return self.unknown[0], product if capacity is None else capacity / product


def electrode_capacity(settings: Settings, inputs: Inputs) -> Made:
    """Q = c_max eps_AM L A n (theta_max - theta_min) F / 3600 [A.h], solved for whichever one is unknown.

    With a loading, both sides are per area [A.h.m-2], and A and n drop out. Source: public schema and API
    documentation, ElectrodeCapacity; n, the electrodes in parallel, is 1 unless given.
    """
    electrode, phase = settings["electrode"], settings["phase"]
    loading, capacity = (of_electrode(electrode, quantity, phase) for quantity in (LOADING, CAPACITY))
    by_loading = settings["method"] == "loading" or (
        settings["method"] == "auto" and loading in inputs and capacity not in inputs
    )
    active = of_electrode(electrode, ACTIVE, phase)
    names = [maximum_concentration(electrode, phase), active, of_electrode(electrode, THICKNESS)]
    factors: dict[str, float | None] = {name: inputs.positive(name)[0] if name in inputs else None for name in names}
    scale = FARADAY / SECONDS_PER_HOUR / (CM2_PER_M2 if by_loading else 1)
    if not by_loading:
        factors[AREA] = electrode_area(inputs)
        scale *= electrodes_in_parallel(inputs)
    window = _Window(electrode, phase) if settings["use_stoich_window"] else None
    if window:
        factors |= window.factors(inputs)
    left = loading if by_loading else capacity
    equation = _Equation((left, inputs.positive(left)[0] if left in inputs else None), scale, factors)
    name, value = equation.solved()
    if window and name in window.names:
        return window.end(name, value, inputs)
    return fraction(name, value) if name == active else {name: value}


@dataclass(frozen=True, slots=True)
class _Window:
    """Stoichiometry window of a capacity."""

    electrode: str
    phase: str

    @property
    def names(self) -> tuple[str, str]:
        """Return the names of the lower and the upper end: on discharge lithium leaves the negative electrode and
        enters the positive one."""
        low, high = (0, 100) if self.electrode == "negative" else (100, 0)
        return (
            stoichiometry_at(self.electrode, low, self.phase),
            stoichiometry_at(self.electrode, high, self.phase),
        )

    def factors(self, inputs: Inputs) -> dict[str, float | None]:
        """Return the width of the window as one factor, or its unknown ends."""
        missing = [name for name in self.names if name not in inputs]
        if missing:
            return dict.fromkeys(missing)
        low, high = inputs.numbers(*self.names)
        if high <= low:
            raise model_error(f"{self.names[1]} is {high:g}: it must be above {self.names[0]}, {low:g}.")
        return {f"{self.names[1]} - {self.names[0]}": high - low}

    def end(self, name: str, width: float, inputs: Inputs) -> Made:
        """Return the unknown end from the width and the other end."""
        low, high = self.names
        return fraction(name, inputs.number(high) - width if name == low else inputs.number(low) + width)


def cyclable_lithium(settings: Settings, inputs: Inputs) -> Made:
    """Q_Li [A.h] = theta_n Q_n + theta_p Q_p, or f Q_p with f the share of lithium left after formation.

    Source: public API documentation, CyclableLithium.
    """
    if settings["method"] == "formation loss":
        share, positive = inputs.numbers(LOST, of_electrode("positive", CAPACITY))
        return {CYCLABLE_LITHIUM: share * positive}
    names = [initial_stoichiometry(electrode) for electrode in ELECTRODES]
    names += [of_electrode(electrode, CAPACITY) for electrode in ELECTRODES]
    theta_n, theta_p, q_n, q_p = inputs.numbers(*names)
    return {CYCLABLE_LITHIUM: theta_n * q_n + theta_p * q_p}


def half_cell_nominal_capacity(settings: Settings, inputs: Inputs) -> Made:
    """The working electrode's capacity is the cell's [A.h], and its current at 1C [A].

    Source: public schema, HalfCellNominalCapacity.
    """
    capacity = inputs.number(of_electrode(settings["electrode"], CAPACITY))
    return {NOMINAL_CAPACITY: capacity, "Current function [A]": capacity}
