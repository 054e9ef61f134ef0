"""Serialised models: they behave like named ones, and no part of a hostile one is imported or executed."""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.models import serialized_models
from app.battery.objectives.models.named_models import parse_model
from tests.battery.measured import REFERENCE, TRUTH, VOLTAGE, discharge, faults, half_discharge, known_values, made
from tests.battery.symbols import DOMAINS, negated
from tests.battery.test_hostile import mutations

AT = ("options", "model")
INNER = ("model", "model")
"""Path from the configuration to the fields of the model."""


class Mine(pybamm.lithium_ion.SPMe):  # type: ignore[misc]
    """Class of the sender."""

    def __init__(self, options: Any = None, name: str = "Mine") -> None:
        super().__init__(options, name)


@cache
def written(kind: Any) -> str:
    return json.dumps(pybamm.Serialise.serialise_custom_model(kind()), default=pybamm.Serialise._json_encoder)


def sent(kind: Any) -> dict[str, Any]:
    return {"type": "custom", "model": json.loads(written(kind))}


def plain() -> dict[str, Any]:
    """A small serialised model."""
    return sent(pybamm.lithium_ion.BasicSPM)


def voltages(model: Any) -> Any:
    config = half_discharge()
    one = made(config | {"options": {"model": model}})
    return one.simulate(known_values(), [REFERENCE])({REFERENCE: TRUTH})[VOLTAGE]


def test_a_model_sent_whole_answers_as_the_named_one() -> None:
    named = voltages("SPMe")
    # PyBaMM does not serialise how it smooths square roots near zero: 0.5 uV here
    assert np.abs(voltages(sent(pybamm.lithium_ion.SPMe)) - named).max() < 1e-6
    assert np.abs(voltages(sent(Mine)) - named).max() < 1e-6
    live = half_discharge("b2_current_driven_live_model")["options"]["model"]
    assert np.array_equal(voltages(live), named)


def test_what_pybamm_writes_for_a_class_of_its_own_is_taken() -> None:
    config = json.loads(json.dumps(Mine().to_config(), default=pybamm.Serialise._json_encoder))
    assert config["type"] == "custom"
    assert config["model"]["model"]["base_class"] == f"{__name__}.Mine"
    effective = made(discharge(model=config)).effective["options"]["model"]
    assert effective == {"type": "custom", "name": "Mine", "base_class": f"{pybamm.lithium_ion.SPMe.__module__}.SPMe"}


def test_the_raw_form_is_taken() -> None:
    assert faults(discharge(model=plain()["model"])) == []


def test_a_basic_model_is_solved() -> None:
    values = dict(pybamm.ParameterValues("Chen2020"))
    config = half_discharge() | {"options": {"model": plain()}}
    answer = made(config).simulate(values, [])({})[VOLTAGE]
    model = pybamm.lithium_ion.BasicSPM()
    model.events = []
    simulation = pybamm.Simulation(
        model, parameter_values=pybamm.ParameterValues(values | {"Current function [A]": 2.5})
    )
    times = made(config).channels["Time [s]"]
    expected = simulation.solve([times[0], times[-1]], t_interp=times)[VOLTAGE](times)
    assert np.abs(answer - expected).max() < 1e-4  # the other solver's tolerances


@pytest.fixture
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise AssertionError("something of the configuration was called")

    monkeypatch.setattr(os, "abort", called)
    for name in ("this", "antigravity"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def inner(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Return the small model with a changed field."""
    config = plain()
    change(config["model"]["model"])
    return config


def put(*path: str | int, value: Any) -> dict[str, Any]:
    """Return the small model with a value at any depth."""

    def change(content: dict[str, Any]) -> None:
        at: Any = content
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return inner(change)


def deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"$type": "pybamm.expression_tree.scalar.Scalar", "name": "1", "value": 1}
    for _ in range(levels):
        node = negated(node)
    return node


ABORT = {"$type": "os.abort"}
INTERPOLANT = "pybamm.expression_tree.interpolant.Interpolant"
PARAMETER = {"$type": "pybamm.expression_tree.parameter.Parameter", "name": "x", "domains": DOMAINS}
GIANT = {
    "$type": INTERPOLANT,
    "name": "giant",
    "x": [[float(x) for x in range(300_000)]],
    "y": [0.0] * 300_000,
    "interpolator": "linear",
    "extrapolate": True,
    "_num_derivatives": 0,
    "children": [PARAMETER],
}
GEOMETRY, MESHES, METHODS, POINTS = (
    ("discretisation", part, part) for part in ("geometry", "submesh_types", "spatial_methods", "var_pts")
)
CODE = "__import__('os').abort()"


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (put("rhs", 0, 1, value=ABORT), ("rhs", 0, 1, "$type")),
        (put("rhs", 0, 0, value=ABORT), ("rhs", 0, 0, "$type")),
        (put("rhs", 0, 0, value=PARAMETER), ("rhs", 0, 0)),
        (put("rhs", 0, value=[PARAMETER]), ("rhs",)),
        (put("algebraic", value=[[ABORT, ABORT]]), ("algebraic", 0, 0, "$type")),
        (put("initial_conditions", 0, 1, value=deep(200)), ("initial_conditions", 0, 1)),
        (put("boundary_conditions", 0, 1, "left", 0, value=ABORT), ("boundary_conditions", 0, 1, "left", 0, "$type")),
        (put("boundary_conditions", 0, 1, "left", 1, value="os.abort"), ("boundary_conditions", 0, 1, "left", 1)),
        (put("boundary_conditions", 0, 1, value={"os.abort": []}), ("boundary_conditions", 0, 1, "os.abort")),
        (put("variables", "unused", value=ABORT), ("variables", "unused", "$type")),
        (put("variables", "unused", value={"py/object": "os.abort"}), ("variables", "unused")),
        (put("variables", "unused", value={"module": "os", "class": "abort"}), ("variables", "unused")),
        (put("variables", "unused", value=GIANT), ("variables", "unused")),
        (put("variables", "unused", value="os.abort"), ("variables", "unused")),
        (put("convert_to_format", value="python"), ("convert_to_format",)),
        (put("options", value={CODE: "x"}), ("options", CODE)),
        (put("options", value={"operating mode": CODE}), ("options", "operating mode")),
        (put(*GEOMETRY, value={"x": {"y": ABORT}}), (*GEOMETRY, "x", "y", "$type")),
        (put(*GEOMETRY, value={"x": {"y": {"type": "os.abort"}}}), (*GEOMETRY, "x", "y", "type")),
        (put(*MESHES, value={"x": {"$type": "type", "class": "os.abort"}}), (*MESHES, "x", "class")),
        (put(*METHODS, value={"x": {"module": "os", "class": "abort"}}), (*METHODS, "x")),
        (put(*METHODS, value={"x": {"$type": "type", "class": "this.X"}}), (*METHODS, "x", "class")),
        (put(*POINTS, value={"x": 10**9}), (*POINTS, "x")),
        (put("discretisation", "os.abort", value={}), ("discretisation", "os.abort")),
        (put("base_class", value=ABORT), ("base_class",)),
        (put("base_class_mro", value=[ABORT]), ("base_class_mro",)),
        (put("rhs", value={}), ("rhs",)),
        (put("extra", value=1), ("extra",)),
    ],
)  # fmt: skip
def test_a_hostile_model_is_refused_at_its_place(model: Any, expected: tuple[str | int, ...]) -> None:
    place = (*AT, *INNER, *expected)
    assert place in [fault.path[: len(place)] for fault in faults(discharge(model=model))]
    assert not {"this", "antigravity"} & set(sys.modules)


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("name", ["os.abort", "this.X", "antigravity.fly", CODE])
def test_no_class_is_imported_by_its_name(name: str) -> None:
    model = plain()
    model["model"]["model"] |= {"base_class": name, "base_class_mro": [name, "pybamm.models.base_model.BaseModel"]}
    found, wrong = parse_model(model, AT)
    assert wrong == []
    assert found is not None
    assert type(found.build([VOLTAGE])) is pybamm.BaseModel
    assert not {"this", "antigravity"} & set(sys.modules)


@pytest.mark.usefixtures("_guarded")
def test_events_are_never_read() -> None:
    found, wrong = parse_model(put("events", value=[{"name": CODE, "expression": ABORT, "event_type": ABORT}]), AT)
    assert wrong == []
    assert found is not None
    assert found.build([VOLTAGE]).events == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"type": "custom"}, ("model",)),
        ({"type": "custom", "model": []}, ("model",)),
        ({"type": "custom", "model": {"compressed": True, "data": "eJw="}}, ("model",)),
        ({"type": "custom", "model": {"model": {}, "schema_version": "9"}}, ("model", "schema_version")),
        ({"type": "custom", "model": {}}, ("model", "model")),
        ({"type": "custom", "modl": {}}, ("modl",)),
    ],
)
def test_a_wrong_wrapping_is_refused_at_its_place(model: Any, expected: tuple[str, ...]) -> None:
    assert (*AT, *expected) in [fault.path for fault in faults(discharge(model=model))]


def test_a_model_that_pybamm_cannot_read_is_refused() -> None:
    model = copy.deepcopy(plain())
    variables = model["model"]["model"]["variables"]
    variables[VOLTAGE] = {
        "$type": "pybamm.expression_tree.unary_operators.Gradient",
        "name": "grad",
        "domains": DOMAINS,
        "children": [PARAMETER],
    }
    (fault,) = faults(discharge(model=model))
    assert fault.path == AT
    assert fault.message.startswith("PyBaMM cannot read this model: ")


def test_the_size_of_a_model_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialized_models, "MAX_MODEL_NODES", 1_000)
    wrong = faults(discharge(model=plain()))
    assert any("more than 1000 nodes" in fault.message for fault in wrong)


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("junk", ["this.X", -1, [], {}, {"$type": "os.abort"}, None], ids=repr)
def test_whatever_is_changed_in_a_model_is_told_and_never_raised(junk: Any) -> None:
    small = plain()
    content = small["model"]["model"]
    variables = content["variables"]
    content["variables"] = {VOLTAGE: variables["Current [A]"], "Current [A]": variables["Current [A]"]}
    content["options"] = {}
    for part in ("rhs", "initial_conditions", "boundary_conditions"):
        content[part] = content[part][:1]
    for changed in mutations(small, junk):
        parse_model(changed, AT)
    assert not {"this", "antigravity"} & set(sys.modules)
