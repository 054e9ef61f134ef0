"""Entry functions, compared with published numbers and with formulas evaluated by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.battery.entries import ENTRIES
from tests.battery.test_piecewise import KNOTS, LINE
from tests.battery.work import entry, evaluated, made, parameter_set

N = "Negative electrode "
R = 8.314462618
D, KAPPA = "Electrolyte diffusivity [m2.s-1]", "Electrolyte conductivity [S.m-1]"
FACTOR, TRANSFERENCE = "Thermodynamic factor", "Cation transference number"
INITIAL = "Initial concentration in electrolyte [mol.m-3]"

NUMBERS: list[tuple[dict[str, Any], dict[str, float]]] = [
    (entry("InitialStateOfCharge", value=50), {"Initial SOC [%]": 50}),
    (
        entry("InitialTemperature", value=310.0),
        {"Ambient temperature [K]": 310.0, "Initial temperature [K]": 310.0},
    ),
    (entry("InitialVoltage", value=3.7), {"Initial voltage [V]": 3.7}),
    (
        entry("bruggeman", electrode=1.0, electrolyte=2.0),
        {
            f"{N}Bruggeman coefficient (electrode)": 1.0,
            "Positive electrode Bruggeman coefficient (electrode)": 1.0,
            f"{N}Bruggeman coefficient (electrolyte)": 2.0,
            "Positive electrode Bruggeman coefficient (electrolyte)": 2.0,
            "Separator Bruggeman coefficient (electrolyte)": 2.0,
        },
    ),
    (entry("constant_electrolyte", c_e=1200.0), {INITIAL: 1200.0}),
    (entry("one_cm2_cell"), {"Electrode height [m]": 0.01, "Electrode width [m]": 0.01}),
    (
        entry("standard_defaults"),
        {
            "Number of cells connected in series to make a battery": 1,
            "Number of electrodes connected in parallel to make a cell": 1,
        },
    ),
    (
        entry("temperatures"),
        {f"{which} temperature [K]": 298.15 for which in ("Reference", "Ambient", "Initial")},
    ),
    (
        entry("zero_activation_energy"),
        {
            "Negative particle diffusivity activation energy [J.mol-1]": 0,
            "Positive particle diffusivity activation energy [J.mol-1]": 0,
            f"{N}reaction activation energy [J.mol-1]": 0,
            "Positive electrode reaction activation energy [J.mol-1]": 0,
            "Electrolyte diffusivity activation energy [J.mol-1]": 0,
            "Electrolyte conductivity activation energy [J.mol-1]": 0,
        },
    ),
    (
        entry("zero_entropic_change"),
        {f"{N}OCP entropic change [V.K-1]": 0, "Positive electrode OCP entropic change [V.K-1]": 0},
    ),
]
FUNCTIONS = {
    "PiecewiseInterpolation1D",
    "PiecewiseInterpolation2D",
    "arrhenius_butler_volmer_exchange_current_density",
    "arrhenius_electrolyte_conductivity",
    "arrhenius_electrolyte_diffusivity",
    "arrhenius_particle_diffusivity",
    "average_ocp",
    "landesfeind_electrolyte",
    "li_plating_defaults",
    "mechanical_degradation_defaults",
    "nyman_electrolyte",
    "sei_defaults",
}
"""Entries with tests below."""


@pytest.mark.parametrize(("config", "expected"), NUMBERS, ids=[config["name"] for config, _ in NUMBERS])
def test_it_sets_its_numbers(config: dict[str, Any], expected: dict[str, float]) -> None:
    assert made(config) == expected


def test_every_entry_is_tested() -> None:
    assert {config["name"] for config, _ in NUMBERS} | FUNCTIONS == set(ENTRIES)


@pytest.mark.parametrize("phase", ["", "primary"])
def test_exchange_current_density_is_the_reference_times_its_factors(phase: str) -> None:
    prefix = "Primary: " if phase else ""
    values = made(entry("arrhenius_butler_volmer_exchange_current_density", electrode="negative", phase=phase)) | {
        f"{prefix}{N}reference exchange-current density [A.m-2]": 3.0,
        f"{prefix}{N}reaction activation energy [J.mol-1]": 35000.0,
        "Reference temperature [K]": 298.15,
        INITIAL: 1000.0,
    }
    name = f"{prefix}{N}exchange-current density [A.m-2]"
    # 3 * sqrt(4) * sqrt(0.25) * sqrt(0.75), at the reference temperature
    assert evaluated(name, values, 4000.0, 250.0, 1000.0, 298.15) == pytest.approx(3 * 0.75**0.5, rel=1e-9)
    warmer = math.exp(35000 / R * (1 / 298.15 - 1 / 310))
    assert evaluated(name, values, 4000.0, 250.0, 1000.0, 310.0) == pytest.approx(3 * 0.75**0.5 * warmer, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "output", "reference"),
    [
        (
            "arrhenius_particle_diffusivity",
            "Negative particle diffusivity [m2.s-1]",
            "Negative particle reference diffusivity [m2.s-1]",
        ),
        ("arrhenius_electrolyte_diffusivity", D, "Electrolyte reference diffusivity [m2.s-1]"),
        ("arrhenius_electrolyte_conductivity", KAPPA, "Electrolyte reference conductivity [S.m-1]"),
    ],
)
def test_an_arrhenius_entry_is_the_reference_times_its_factor(name: str, output: str, reference: str) -> None:
    config = entry(name, electrode="negative") if "particle" in name else entry(name)
    energy = f"{output.rpartition(' ')[0]} activation energy [J.mol-1]"
    known = made(config) | {energy: 20000.0, "Reference temperature [K]": 298.15}
    factor = math.exp(20000 / R * (1 / 298.15 - 1 / 310))
    assert evaluated(output, known | {reference: 2.0}, 0.5, 310.0) == pytest.approx(2 * factor, rel=1e-9)
    # the reference may be a function, too: here of the first argument, 7 + 2 x
    function = made(entry("PiecewiseInterpolation1D", **LINE)) | KNOTS
    function[reference] = function.pop(LINE["base_parameter_name"])
    assert evaluated(output, known | function, 0.25, 310.0) == pytest.approx(7.5 * factor, rel=1e-6)


def test_average_ocp_is_the_mean_of_its_branches() -> None:
    known = made(entry("average_ocp", electrode="negative"))
    known |= {f"{N}lithiation OCP [V]": 0.1, f"{N}delithiation OCP [V]": 0.2}
    assert evaluated(f"{N}OCP [V]", known, 0.5) == pytest.approx(0.15)


def test_sei_defaults_are_those_of_okane2022() -> None:
    values = made(entry("sei_defaults"))
    # from the paper's table of SEI parameters
    assert values["SEI kinetic rate constant [m.s-1]"] == 1e-12
    assert values["SEI growth activation energy [J.mol-1]"] == 38000.0
    assert values["Initial SEI thickness [m]"] == 5e-9
    assert len(values) == 16


def test_plating_defaults_are_those_of_okane2022() -> None:
    values = made(entry("li_plating_defaults"))
    assert values["Lithium plating kinetic rate constant [m.s-1]"] == 1e-9
    # j0 = F k c_e for plating, F k c_Li for stripping, with k of 1e-9 m/s; both of (c_e, c_Li, T)
    assert evaluated("Exchange-current density for plating [A.m-2]", values, 1000.0, 500.0, 298.15) == pytest.approx(
        96485.332 * 1e-9 * 1000, rel=1e-6
    )
    assert evaluated("Exchange-current density for stripping [A.m-2]", values, 1000.0, 500.0, 298.15) == pytest.approx(
        96485.332 * 1e-9 * 500, rel=1e-6
    )
    # the decay constant of 1e-6/s times initial over present SEI thickness
    known = values | {"Initial SEI thickness [m]": 5e-9}
    assert evaluated("Dead lithium decay rate [s-1]", known, 1e-8) == pytest.approx(5e-7, rel=1e-6)


def test_mechanical_defaults_are_those_of_each_electrode() -> None:
    negative = made(entry("mechanical_degradation_defaults", electrode="negative"))
    positive = made(entry("mechanical_degradation_defaults", electrode="positive"))
    assert negative[f"{N}Young's modulus [Pa]"] == 15e9
    assert positive["Positive electrode Young's modulus [Pa]"] == 375e9
    assert len(negative) == len(positive) == 14
    # Ai et al. (2020): k_cr = 3.9e-20 at 25 degrees C
    assert evaluated(f"{N}cracking rate", negative, 298.15) == pytest.approx(3.9e-20, rel=1e-6)


@pytest.mark.parametrize("name", ["Chen2020", "OKane2022", "Ecker2015", "Ai2020", "ORegan2022", "Mohtat2020"])
def test_a_whole_parameter_set_of_pybamm_goes_through_unchanged(name: str) -> None:
    values = parameter_set(name)
    assert made(entry(values=values)) == values
