"""Names of parameters, after PyBaMM and the public schema."""

from __future__ import annotations

from app.battery.checks.fields import PRECISION, Field, one_of

ELECTRODES = ("negative", "positive")
PHASES = {None: "", "": "", "primary": "Primary: ", "secondary": "Secondary: "}
"""Prefixes of PyBaMM's parameter names by phase of a composite electrode."""

HEIGHT, WIDTH = "Electrode height [m]", "Electrode width [m]"
AREA = "Electrode area [m2]"
IN_PARALLEL = "Number of electrodes connected in parallel to make a cell"
CYCLABLE_LITHIUM = "Cyclable lithium capacity [A.h]"
NOMINAL_CAPACITY = "Nominal cell capacity [A.h]"
REFERENCE_TEMPERATURE = "Reference temperature [K]"
AMBIENT_TEMPERATURE = "Ambient temperature [K]"
INITIAL_TEMPERATURE = "Initial temperature [K]"
INITIAL_ELECTROLYTE = "Initial concentration in electrolyte [mol.m-3]"

ELECTRODE = Field(one_of(*ELECTRODES))
PHASE = Field(one_of("", "primary", "secondary"), "")


def of_electrode(electrode: str, quantity: str, phase: str | None = None) -> str:
    """Return a parameter name such as `Primary: Negative electrode thickness [m]`."""
    return f"{PHASES[phase]}{electrode.capitalize()} electrode {quantity}"


def maximum_concentration(electrode: str, phase: str | None = None) -> str:
    return f"{PHASES[phase]}Maximum concentration in {electrode} electrode [mol.m-3]"


def initial_concentration(electrode: str, phase: str | None = None) -> str:
    return f"{PHASES[phase]}Initial concentration in {electrode} electrode [mol.m-3]"


def initial_stoichiometry(electrode: str, phase: str | None = None) -> str:
    return f"{PHASES[phase]}Initial stoichiometry in {electrode} electrode"


def stoichiometry_at(electrode: str, percent: int, phase: str | None = None) -> str:
    """Return the name of the stoichiometry at 0 or 100 percent state of charge."""
    return of_electrode(electrode, f"stoichiometry at {percent}% SOC", phase)


def open_circuit_voltage(percent: int) -> str:
    return f"Open-circuit voltage at {percent}% SOC [V]"


def split_unit(name: str) -> tuple[str, str]:
    """Split `Diffusivity [m2.s-1]` into (`Diffusivity`, ` [m2.s-1]`)."""
    stem, bracket, unit = name.rpartition(" [")
    return (stem, f" [{unit}") if bracket and unit.endswith("]") else (name, "")


def at_breakpoint(variable: str, value: float) -> str:
    """Return a name such as `Temperature [K] 298.15`."""
    return f"{variable} {value:.{PRECISION}g}"
