"""PyBaMM's own parameter sets by name, such as Chen2020."""

from __future__ import annotations

from typing import Any

import pybamm

from app.battery.checks.fields import Field, shown, suggestion
from app.battery.functions import Made

PARAMETER_SETS = (
    "Ai2020",
    "Bonkile2024",
    "Chayambuka2022",
    "Chen2020",
    "Chen2020_composite",
    "ECM_Example",
    "Ecker2015",
    "Ecker2015_graphite_halfcell",
    "MSMR_Example",
    "Marquis2019",
    "Mohtat2020",
    "NCA_Kim2011",
    "OKane2022",
    "OKane2022_graphite_SiOx_halfcell",
    "ORegan2022",
    "Prada2013",
    "Ramadass2004",
    "Sulzer2019",
    "Xu2019",
)


def _named(value: Any) -> str | None:
    if isinstance(value, str) and value in PARAMETER_SETS:
        return None
    return (
        f"is no parameter set: {shown(value)}{suggestion(value, PARAMETER_SETS)}; known are {', '.join(PARAMETER_SETS)}"
    )


PARAMETER_SET = Field(_named, None)


def parameter_set(name: str) -> Made:
    """Return the parameters of a set, without its citations."""
    return {key: value for key, value in pybamm.ParameterValues(name).items() if not isinstance(value, list)}
