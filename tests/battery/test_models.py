"""Models of objectives: supported names, options and settings."""

from __future__ import annotations

import json
from typing import Any

import ionworks_schema.models as public
import pybamm
import pytest
from ionworks_schema.models.simulation_settings import SimulationSettings

from app.battery.objectives.models import named_models, numerics
from app.battery.objectives.models.model_options import REACTIONS
from app.battery.objectives.models.named_models import MODELS, REFUSED_MODELS, parse_model
from tests.battery.measured import discharge, faults, made, places

AT = ("options", "model")


def places_of(model: Any) -> list[tuple[str | int, ...]]:
    return places(discharge(model=model))


@pytest.mark.parametrize("name", ["SPM", "SPMe", "DFN", "MPM", "NewmanTobias"])
def test_a_model_is_taken_by_its_name_alone(name: str) -> None:
    assert made(discharge(model=name)).effective == made(discharge(model={"type": name})).effective


@pytest.mark.parametrize(
    "model",
    [
        pybamm.lithium_ion.DFN(),
        pybamm.lithium_ion.SPM({"particle phases": ("2", "1"), "SEI": (("none", "none"), "none")}),
        pybamm.lithium_ion.MSMR({"number of MSMR reactions": ("6", "4")}),
        pybamm.lithium_ion.SPMe({"thermal": "lumped", "SEI": "solvent-diffusion limited"}),
        pybamm.lithium_ion.DFN({"working electrode": "positive"}),
        pybamm.equivalent_circuit.Thevenin({"number of rc elements": 2}),
    ],
    ids=["DFN", "composite", "MSMR", "lumped", "half cell", "circuit"],
)  # fmt: skip
def test_a_live_model_comes_through_as_the_client_sends_it(model: pybamm.BaseModel) -> None:
    config = json.loads(json.dumps(model.to_config()))
    found, wrong = parse_model(config, AT)
    assert wrong == []
    assert found is not None
    built = found.build(["Voltage [V]"])
    assert type(built) is type(model)
    assert dict(built.options) == dict(model.options)
    assert built.events == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (3, AT),
        ([], AT),
        ("", (*AT, "type")),
        ("SPMx", (*AT, "type")),
        ("os.abort", (*AT, "type")),
        ("BaseModel", (*AT, "type")),
        ({"type": "SPM", "module": "os"}, (*AT, "module")),
        ({"type": "LOQS", "module": "lead_acid"}, (*AT, "module")),
        ({"type": "SPM", "module": ["lithium_ion"]}, (*AT, "module")),
        ({"type": "Thevenin"}, (*AT, "type")),
        ({"type": "SPM", "optins": {}}, (*AT, "optins")),
        ({"type": "SPM", "options": []}, (*AT, "options")),
        ({"type": "SPM", "options": {"thermall": "lumped"}}, (*AT, "options", "thermall")),
        ({"type": "SPM", "options": {"thermal": "Lumped"}}, (*AT, "options", "thermal")),
        ({"type": "SPM", "options": {"thermal": {"$type": "os.abort"}}}, (*AT, "options", "thermal")),
        ({"type": "SPM", "options": {"thermal": None}}, (*AT, "options", "thermal")),
        ({"type": "SPM", "options": {"particle": ["Fickian diffusion"]}}, (*AT, "options", "particle")),
        ({"type": "SPM", "options": {"operating mode": "voltage"}}, (*AT, "options", "operating mode")),
        ({"type": "SPM", "options": {"dimensionality": 2}}, (*AT, "options", "dimensionality")),
        ({"type": "SPM", "options": {"current collector": "potential pair"}}, (*AT, "options", "current collector")),
        ({"type": "MSMR", "options": {REACTIONS: "1000"}}, (*AT, "options", REACTIONS)),
        ({"type": "SPM", "options": {"SEI": "constant", "x-average side reactions": "false"}}, (*AT, "options")),
        ({"type": "SPM", "custom_variables": {"a": {"$type": "os.abort"}}}, (*AT, "custom_variables", "a", "$type")),
        (
            {"type": "Thevenin", "module": "equivalent_circuit", "options": {"number of rc elements": 10**6}},
            (*AT, "options", "number of rc elements"),
        ),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused_at_its_place(model: Any, expected: tuple[str | int, ...]) -> None:
    assert places_of(model) == [expected]


@pytest.mark.parametrize("name", sorted(REFUSED_MODELS))
def test_a_model_that_is_not_supported_is_refused_by_name(name: str) -> None:
    (fault,) = faults(discharge(model={"type": name, "options": {}}))
    assert fault.message.startswith(f"{name} is not supported: ")


def test_all_models_of_the_public_schema_are_refused_where_pybamm_has_none() -> None:
    named = {name for name, each in vars(public).items() if isinstance(each, type)} - {"SimulationSettings"}
    assert {name for name in named if not name.endswith("Options")} == set(REFUSED_MODELS)


def test_all_supported_models_are_models_of_pybamm() -> None:
    for module, classes in MODELS.items():
        assert all(getattr(getattr(pybamm, module), name) is each for name, each in classes.items())


def test_a_variable_that_the_sender_defined_can_be_compared() -> None:
    model = pybamm.lithium_ion.SPM()
    model.variables["Twice the voltage [V]"] = 2 * model.variables["Voltage [V]"]
    config = discharge(model=json.loads(json.dumps(model.to_config())))
    config["options"]["objective variables"] = ["Twice the voltage [V]"]
    config["data"]["data"]["Twice the voltage [V]"] = [8.0] * 5
    assert list(made(config).data) == ["Twice the voltage [V]"]


class TestSettings:
    def test_are_those_of_the_public_schema(self) -> None:
        assert set(numerics.FIELDS) == set(SimulationSettings.model_fields)

    def test_of_a_model_give_way_to_those_of_the_simulation(self) -> None:
        config = discharge(
            model={"type": "SPM", "simulation_settings": {"var_pts": {"r_n": 30, "r_p": 31}, "solver": {"rtol": 1e-4}}},
            simulation_kwargs={"var_pts": {"r_n": 40}},
        )
        assert made(config).effective["options"]["simulation_kwargs"] == {
            "var_pts": {"r_n": 40, "r_p": 31},
            "solver": {"type": "IDAKLUSolver", "rtol": 1e-4, "atol": 1e-8},
        }

    def test_may_be_a_solver_as_pybamm_writes_it(self) -> None:
        solver = pybamm.Serialise.serialise_solver(pybamm.IDAKLUSolver(rtol=1e-5, atol=1e-7))
        kwargs = {"solver": json.loads(json.dumps(solver))}
        effective = made(discharge(simulation_kwargs=kwargs)).effective["options"]["simulation_kwargs"]
        assert effective == {"solver": {"type": "IDAKLUSolver", "rtol": 1e-5, "atol": 1e-7}}

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            ({"C_rate": 1}, ("C_rate",)),
            ({"experiment": "Rest"}, ("experiment",)),
            ({"submesh_types": {"negative particle": {"$type": "type", "class": "os.abort"}}}, ("submesh_types",)),
            ({"geometry": {}}, ("geometry",)),
            ({"spatial_methods": {}}, ("spatial_methods",)),
            ({"var_pts": {"r_n": 10**6}}, ("var_pts", "r_n")),
            ({"var_pts": {"r_n": 1}}, ("var_pts", "r_n")),
            ({"var_pts": {"r_n": 20.5}}, ("var_pts", "r_n")),
            ({"var_pts": {"r_n": True}}, ("var_pts", "r_n")),
            ({"var_pts": {"r_x": 20}}, ("var_pts", "r_x")),
            ({"solver": {"type": "CasadiSolver"}}, ("solver", "type")),
            ({"solver": {"type": "os.abort"}}, ("solver", "type")),
            ({"solver": {"rtol": 1}}, ("solver", "rtol")),
            ({"solver": {"atol": 0}}, ("solver", "atol")),
            ({"solver": {"root_tol": 1}}, ("solver", "root_tol")),
            ({"solver": "IDAKLUSolver"}, ("solver",)),
        ],
    )
    def test_that_are_not_supported_are_refused(self, kwargs: Any, expected: tuple[str, ...]) -> None:
        assert places(discharge(simulation_kwargs=kwargs)) == [("options", "simulation_kwargs", *expected)]
        model = {"type": "SPM", "simulation_settings": kwargs}
        assert places_of(model) == [("options", "model", "simulation_settings", *expected)]


def test_the_usual_models_are_made_before_processes_are_forked() -> None:
    named_models.prepare()  # as the executor does when it is made
    made = named_models._made.cache_info().misses
    for name in named_models.PREPARED:
        model, wrong = named_models.parse_model(name, ())
        assert model
        assert wrong == []
    assert named_models._made.cache_info().misses == made


@pytest.mark.parametrize("name", named_models.PREPARED)
def test_options_that_spell_out_every_default_are_those_of_the_usual_model(name: str) -> None:
    usual = named_models._made("lithium_ion", name, "{}")
    spelled = json.loads(json.dumps(dict(usual.options)))  # the official client writes all of them
    made = named_models.CELLS[name](options=dict(usual.options))
    assert (made.rhs, made.algebraic, made.initial_conditions) == (usual.rhs, usual.algebraic, usual.initial_conditions)
    assert dict(made.variables) == dict(usual.variables)
    assert named_models._model("lithium_ion", name, spelled) is usual
    assert named_models._model("lithium_ion", name, spelled | {"thermal": "lumped"}) is not usual
    assert named_models._model("lithium_ion", name, {}) is usual
