"""All options of PyBaMM's models, one by one, with parameter values with which the models can be solved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pybamm

from app.battery.objectives.models.model_options import CIRCUIT, LITHIUM_ION, REACTIONS

Case = tuple[str, str, Any]
"""Module, option, value."""
Values = dict[str, Any]
ELECTRODES = ("Negative", "Positive")
NEEDS: dict[str, dict[str, Any]] = {
    "SEI film resistance": {"SEI": "constant"},
    "SEI on cracks": {"SEI": "constant", "particle mechanics": "swelling and cracking"},
    "SEI porosity change": {"SEI": "constant"},
    "lithium plating porosity change": {"lithium plating": "partially reversible"},
    "stress-induced diffusion": {"particle mechanics": "swelling only"},
    "heat of mixing": {"thermal": "lumped"},
    REACTIONS: {
        "open-circuit potential": "MSMR",
        "particle": "MSMR",
        "intercalation kinetics": "MSMR",
        "surface form": "differential",
        "number of MSMR reactions": ["6", "4"],
    },
}
"""Further options that an option requires to have an effect, or to be accepted by PyBaMM."""
MSMR = ("open-circuit potential", "particle", "intercalation kinetics")


def cases() -> Iterator[Case]:
    """Return all accepted options and values, with a few numbers of reactions and RC elements."""
    for option, words in LITHIUM_ION.items():
        yield from (("lithium_ion", option, word) for word in (words if option != REACTIONS else ["6"]))
    for option, words in CIRCUIT.items():
        yield from (
            ("equivalent_circuit", option, word) for word in words if not isinstance(word, int) or word in (1, 3)
        )


def options(option: str, value: Any) -> dict[str, Any]:
    """Return the options of a model with this one."""
    if option == REACTIONS or (option in MSMR and value == "MSMR"):
        return NEEDS[REACTIONS]
    if option == "particle phases" and value == "2":
        return {option: ["2", "1"]}  # the set of a composite cell has a positive electrode of one phase
    return NEEDS.get(option, {}) | {option: value}


def shifted(function: Any, by: Any) -> Any:
    """A function of one argument, moved."""
    return lambda sto: function(sto) + by


@cache
def known(kind: str) -> dict[str, Any]:
    return dict(pybamm.ParameterValues(kind))


def values(module: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers and functions that a model with these options reads, and more."""
    if module == "equivalent_circuit":
        return known("ECM_Example") | {"Ambient temperature [K]": 298.15}
    if given.get("open-circuit potential") == "MSMR":
        return known("MSMR_Example")
    if given.get("particle phases", "1") != "1":
        return known("Chen2020_composite")
    if given.get("working electrode") == "positive":
        return known("Ai2020") | known("Xu2019")
    found = known("Ai2020") | known("OKane2022")
    distributions = pybamm.get_size_distribution_parameters(pybamm.ParameterValues(found))
    found = dict(distributions)
    for electrode in ELECTRODES:
        name = f"{electrode} electrode OCP [V]"
        found |= {
            f"{electrode} electrode lithiation OCP [V]": shifted(found[name], -0.01),
            f"{electrode} electrode delithiation OCP [V]": shifted(found[name], 0.01),
            f"Initial hysteresis state in {electrode.lower()} electrode": 0.3,
            f"{electrode} particle hysteresis decay rate": 0.05,
            f"{electrode} particle hysteresis switching factor": 10.0,
            f"{electrode} particle lithiation hysteresis decay rate": 0.05,
            f"{electrode} particle delithiation hysteresis decay rate": 0.05,
        }
    return found


ENDINGS: dict[str, float] = {
    "diffusivity [m2.s-1]": 3e-14,
    "exchange-current density [A.m-2]": 2.0,
    "transfer coefficient": 0.45,
    "reorganization energy [eV]": 0.35,
    "double-layer capacity [F.m-2]": 0.2,
    "interface utilisation": 0.9,
    "interface utilisation factor [m3.mol-1]": 1e-6,
    "current-driven LAM rate": 1e-9,
    "term (compressive) [s-1]": 1e-8,
    "term (tensile) [s-1]": 1e-8,
    "LAM constant exponential term (compressive)": 2.0,
    "LAM constant exponential term (tensile)": 2.0,
    "tortuosity factor": 1.5,
    "Casing heat capacity [J.K-1]": 20.0,
    "Environment thermal resistance [K.W-1]": 10.0,
    "heat capacity [J.K-1]": 60.0,
}
"""Numbers for parameters that no set has, by the ends of their names."""


def fill(known: Values, names: Iterable[str]) -> Values:
    """Return `known` with numbers for missing parameters that the model reads."""
    missing = {
        name: value
        for name in names
        if name not in known
        for end, value in ENDINGS.items()
        if name.lower().endswith(end.lower())
    }
    return missing | known
