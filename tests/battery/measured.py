"""Configurations of objectives, and data that PyBaMM made."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pybamm

from app.battery.entries.functions import butler_volmer_exchange_current
from app.battery.expressions.symbols import decode, encode
from app.battery.objectives import Objective, objectives
from app.execution.executor import Fault

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
REFERENCE = "Negative electrode reference exchange-current density [A.m-2]"
TRUTH = 3.0
"""The exchange-current density that b's data were made with."""
DATA = Path(__file__).parents[1] / "data"


@cache
def elements(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{name}.json").read_text())["elements"])


def half_discharge(name: str = "b_current_driven_fit_validation") -> dict[str, Any]:
    """The objective of a real configuration: a C/2 discharge of an SPMe."""
    return dict(elements(name)["fit"]["objectives"]["0.5 C"])


@cache
def known_values() -> dict[str, Any]:
    """Its parameter values, decoded, without the exchange-current density."""
    values = {
        name: decode(value) for name, value in elements("b_current_driven_fit_validation")["known"]["values"].items()
    }
    made = butler_volmer_exchange_current({"electrode": "negative", "phase": ""}, None)  # type: ignore[arg-type]
    return values | {name: decode(encode(name, value)) for name, value in made.items()}


@cache
def chen2020() -> dict[str, Any]:
    return dict(pybamm.ParameterValues("Chen2020"))


def objective(kind: str, columns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A configuration; `fields` are options, but for `parameters`."""
    beside = {name: fields.pop(name) for name in ("parameters",) if name in fields}
    return {"type": kind, "data": {"data": columns}, "options": {"model": "SPM"} | fields} | beside


def discharge(**fields: Any) -> dict[str, Any]:
    """A CurrentDriven configuration whose data stand for nothing; `rows` says how many."""
    rows = fields.pop("rows", 5)
    columns = {TIME: [60.0 * row for row in range(rows)], CURRENT: [2.5] * rows, VOLTAGE: [4.0] * rows}
    return objective("CurrentDriven", columns, **fields)


def made(config: dict[str, Any]) -> Objective:
    found, faults = objectives({"one": config}, ("objectives",))
    assert faults == []
    return found["one"]


def faults(config: Any) -> list[Fault]:
    """Those of one objective; their paths begin behind its name."""
    found, wrong = objectives({"one": config}, ("objectives",))
    assert bool(found) is not bool(wrong)
    assert all(fault.path[:2] == ("objectives", "one") for fault in wrong)
    return [Fault(fault.message, fault.path[2:]) for fault in wrong]


def places(config: Any) -> list[tuple[str | int, ...]]:
    return [fault.path for fault in faults(config)]


def rmse(answer: dict[str, Any], one: Objective, variable: str = VOLTAGE) -> float:
    return float(np.sqrt(np.mean((answer[variable] - one.data[variable]) ** 2)))
