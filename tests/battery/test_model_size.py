"""Size of models: their states as PyBaMM discretises them, and the refusal of too many."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pybamm
import pytest

from app.battery import BatteryExecutor
from app.battery.checks import model_size
from app.battery.checks.model_size import MAX_STATES, MAX_WORK, states
from app.execution.executor import Job
from app.models.enums import ElementType
from tests.api import ROOT

FILE = ROOT / "tests" / "data" / "b_current_driven_fit_validation.json"
DISTRIBUTION = {"particle size": "distribution", "surface form": "algebraic"}


@pytest.mark.parametrize(
    ("kind", "options", "points"),
    [
        ("SPM", {}, {}),
        ("SPM", {"thermal": "lumped", "surface form": "differential"}, {"r_n": 7}),
        ("SPMe", {}, {"x_s": 5, "x_n": 3}),
        ("DFN", {}, {"x_p": 4, "r_p": 6}),
        ("MPM", {}, {"R_n": 5}),
        ("DFN", DISTRIBUTION, {"R_p": 4, "x_n": 3}),
    ],
)
def test_states_are_those_that_pybamm_makes(kind: str, options: dict[str, Any], points: dict[str, int]) -> None:
    model = getattr(pybamm.lithium_ion, kind)(options)
    values = pybamm.get_size_distribution_parameters(pybamm.ParameterValues("Marquis2019"))
    made, geometry, chosen = model.new_copy(), model.default_geometry, dict(model.default_var_pts) | points
    values.process_model(made)
    values.process_geometry(geometry)
    mesh = pybamm.Mesh(geometry, model.default_submesh_types, chosen)
    pybamm.Discretisation(mesh, model.default_spatial_methods).process_model(made)
    assert states(model, chosen) == made.len_rhs_and_alg


def check(model: dict[str, Any], points: dict[str, int]) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the problems of a validation of a model with mesh points."""
    elements = orjson.loads(FILE.read_bytes())["elements"]
    config = copy.deepcopy(elements["validate"])
    config["objectives"]["0.5 C"]["options"] |= {"model": model, "simulation_kwargs": {"var_pts": points}}
    jobs = [
        Job("known", ElementType.DIRECT_ENTRY, elements["known"]),
        Job("validate", ElementType.VALIDATION, config),
    ]
    return [(fault.message, fault.path) for fault in BatteryExecutor().check(jobs)[1]]


def test_a_model_of_too_many_states_is_refused_at_its_place() -> None:
    axes = ("x_n", "x_s", "x_p", "r_n", "r_p")
    assert check({"type": "DFN"}, dict.fromkeys(axes, 200)) == []
    found = check({"type": "DFN", "options": DISTRIBUTION}, dict.fromkeys((*axes, "R_n", "R_p"), 200))
    [(message, path)] = found
    assert f"at most {MAX_STATES:,} are allowed" in message
    assert "`var_pts` in `simulation_kwargs`" in message
    assert path == ("objectives", "0.5 C", "options", "model")


def test_a_large_model_takes_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_WORK > MAX_STATES
    monkeypatch.setattr(model_size, "MAX_WORK", 10_000)
    [(message, path)] = check({"type": "DFN"}, {})
    assert "The model has 962 states, and its data " in message
    assert path == ("objectives", "0.5 C", "options", "model")
    assert check({"type": "SPM"}, {"r_n": 2, "r_p": 2}) == []
