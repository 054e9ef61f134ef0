"""Configuration of objectives: kinds, fields and options."""

from __future__ import annotations

from typing import Any

import ionworks_schema
import pytest
from ionworks_schema.objectives import objectives as public

from app.battery.objectives import MAX_OBJECTIVES, OBJECTIVES, REFUSED_OBJECTIVES, objectives
from app.battery.objectives.configuration import FIELDS
from app.battery.objectives.half_cells import OPTIONS
from app.battery.objectives.plans import DRIVEN, SIMULATED
from tests.battery.measured import discharge, faults, made, places
from tests.battery.test_hostile import mutations

AT = ("objectives",)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ([], [()]),
        ({}, [("type",)]),
        ({"type": 3}, [("type",)]),
        ({"type": "CurrentDrivem"}, [("type",)]),
        ({"type": "CurrentDriven"}, [("data",), ("options", "model")]),
        (discharge() | {"dta": {}}, [("dta",)]),
        (discharge() | {"cost": {"type": "RMSE"}}, [("cost",)]),
        (discharge() | {"penalties": [{"type": "Penalty", "fun": {"$type": "os.abort"}}]}, [("penalties",)]),
        (discharge() | {"constraints": []}, [("constraints",)]),
        (discharge() | {"callbacks": "os.abort"}, [("callbacks",)]),
        (discharge() | {"options": "SPM"}, [("options",)]),
        (discharge(interpolant_tol=1), [("options", "interpolant_tol")]),
        (discharge(interpolant_atol=-1), [("options", "interpolant_atol")]),
        (discharge(interpolant_rtol="x"), [("options", "interpolant_rtol")]),
        (discharge(interpolant_lossless=1), [("options", "interpolant_lossless")]),
        (discharge(interactive_preprocessing=True), [("options", "interactive_preprocessing")]),
        (discharge(parameterized_model_id="1a"), [("options", "parameterized_model_id")]),
        (discharge(**{"independent variable": "voltage"}), [("options", "independent variable")]),
        (discharge(**{"objective variables": []}), [("options", "objective variables")]),
        (discharge(**{"objective variables": "Voltage [V]"}), [("options", "objective variables")]),
        (discharge(**{"objective variables": ["Voltage [V]", "Voltage [V]"]}), [("options", "objective variables")]),
        (
            discharge(**{"objective variables": ["Volts [V]"]}),
            [("options", "objective variables"), ("data", "data", "Volts [V]")],
        ),
        (
            discharge(**{"objective variables": ["Negative electrode potential [V]"]}),
            [("options", "objective variables"), ("data", "data", "Negative electrode potential [V]")],
        ),
        (discharge() | {"parameters": [1]}, [("parameters",)]),
        (discharge() | {"parameters": {"a": {"$type": "os.abort"}}}, [("parameters", "a", "$type")]),
        (discharge() | {"parameters": {"a": "[input]"}}, [("parameters", "a")]),
        (discharge() | {"parameters": {" ": 1}}, [("parameters", " ")]),
        (discharge() | {"type": "Pulse"}, []),
        (
            discharge(**{"objective variables": ["Voltage [V]"]}) | {"type": "Pulse"},
            [("options", "objective variables")],
        ),
    ],
)
def test_a_wrong_objective_is_refused_at_its_place(config: Any, expected: list[tuple[str | int, ...]]) -> None:
    assert sorted(places(config)) == sorted(expected)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, AT),
        ([], AT),
        ({}, AT),
        ({"  ": discharge()}, (*AT, "  ")),
        ({str(index): 0 for index in range(MAX_OBJECTIVES + 1)}, AT),
    ],
    ids=["missing", "list", "none", "nameless", "many"],
)
def test_wrong_objectives_are_refused_at_their_place(config: Any, expected: tuple[str, ...]) -> None:
    assert [fault.path for fault in objectives(config, AT)[1]] == [expected]


def test_all_objectives_are_looked_at() -> None:
    config = {"a": discharge() | {"type": "x"}, "b": discharge(), "c": discharge(model="y")}
    found, wrong = objectives(config, AT)
    assert list(found) == ["b"]
    assert [fault.path for fault in wrong] == [(*AT, "a", "type"), (*AT, "c", "options", "model", "type")]


def test_objectives_keep_their_order() -> None:
    assert list(objectives({"z": discharge(), "a": discharge()}, AT)[0]) == ["z", "a"]


def test_one_objective_may_come_without_a_name() -> None:
    found, wrong = objectives(discharge(), AT)
    assert wrong == []
    assert list(found) == ["CurrentDriven"]


@pytest.mark.parametrize("name", sorted(REFUSED_OBJECTIVES))
def test_an_objective_that_is_not_supported_is_refused_by_name(name: str) -> None:
    (fault,) = faults({"type": name, "data": {}, "anything": 1})
    assert fault.message.startswith(f"{name} is not supported: ")


def test_everything_in_the_public_schema_is_supported_or_refused() -> None:
    bases = (public.BaseObjective, public.FittingObjective, public.SimulationObjective)
    named = {
        name
        for name, each in vars(public).items()
        if isinstance(each, type) and issubclass(each, public.BaseObjective) and each not in bases
    }
    assert set(OBJECTIVES) | set(REFUSED_OBJECTIVES) == named
    assert not set(OBJECTIVES) & set(REFUSED_OBJECTIVES)


def test_fields_are_those_of_the_public_schema() -> None:
    for name in OBJECTIVES:
        fields = {field.alias or key for key, field in getattr(public, name).model_fields.items()}
        assert set(FIELDS) == fields


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("CurrentDriven", DRIVEN["CurrentDriven"]),
        ("Pulse", DRIVEN["Pulse"]),
        ("EIS", SIMULATED),
        ("MSMRHalfCell", OPTIONS),
    ],
)
def test_options_are_those_of_the_public_schema(name: str, ours: dict[str, Any]) -> None:
    fields = getattr(public, f"{name}Options").model_fields
    assert set(ours) - {"interactive_preprocessing"} == {field.alias or key for key, field in fields.items()}


def test_the_effective_configuration_has_all_defaults_and_no_data() -> None:
    effective = made(discharge()).effective
    assert effective["type"] == "CurrentDriven"
    assert "data" not in effective
    assert effective["options"] == {
        "model": {"type": "SPM", "module": "lithium_ion", "options": {}},
        "simulation_kwargs": {"solver": {"type": "IDAKLUSolver", "rtol": 1e-6, "atol": 1e-8}},
        "independent variable": "time",
        "objective variables": ["Voltage [V]"],
        "interpolant_atol": 1e-6,
        "interpolant_rtol": 1e-4,
        "interpolant_lossless": False,
    }


def test_the_public_schema_takes_the_effective_options() -> None:
    config = discharge() | {"options": made(discharge()).effective["options"]}
    ionworks_schema.validate_element({"element_type": "validation", "objectives": {"one": config}})
    assert faults(config) == []


@pytest.mark.parametrize("junk", ["x", -1, [], {}, {"$type": "os.abort"}, None, True], ids=repr)
def test_whatever_is_changed_in_a_configuration_is_told_and_never_raised(junk: Any) -> None:
    options = {
        "model": {"type": "SPM", "module": "lithium_ion", "options": {"thermal": "lumped"}, "simulation_settings": {}},
        "simulation_kwargs": {"var_pts": {"r_n": 20}, "solver": {"type": "IDAKLUSolver", "rtol": 1e-6}},
        "interpolant_atol": 1e-6,
        "objective variables": ["Voltage [V]"],
    }
    driven = discharge(rows=3) | {"options": options, "parameters": {"a": 1.0}}
    half_cell = {"electrode": "negative", "options": {"species format": "Xj"}}
    columns = {"Voltage [V]": [0.1, 0.2, 0.3], "Capacity [A.h]": [2.0, 1.0, 0.5]}
    msmr = {
        "type": "MSMRHalfCell",
        "data": {"data": columns, "options": {"transforms": {"sort": False}}, "time_range": None},
        "options": {"model": half_cell, "dUdQ cutoff": 1.0, "voltage limits": [0.0, 1.0]},
    }
    for config in (driven, msmr):
        for changed in mutations(config, junk):
            objectives({"one": changed}, AT)
