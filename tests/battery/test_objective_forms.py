"""Both published forms of an objective: `type` with `options`, and the API guide's `objective` with `model`."""

from __future__ import annotations

from typing import Any

import pytest

from app.battery.objectives import objectives
from tests.battery.measured import discharge, faults, made, places
from tests.battery.test_fit_refused import ELEMENTS, fit
from tests.battery.work import pipeline_faults


def guided(**fields: Any) -> dict[str, Any]:
    """An objective as the API guide writes it."""
    config = discharge()
    return {"objective": config["type"], "model": {"type": "SPMe"}, "data": config["data"]} | fields


def test_both_forms_are_the_same_objective() -> None:
    assert made(guided()).effective == made(discharge(model={"type": "SPMe"})).effective


def test_options_may_stand_beside_the_model() -> None:
    one = made(guided(options={"interpolant_lossless": True}, parameters={"Ambient temperature [K]": 300.0}))
    assert one.effective["options"]["interpolant_lossless"] is True
    assert one.effective["parameters"] == {"Ambient temperature [K]": 300.0}


@pytest.mark.parametrize("form", [guided(), discharge()])
def test_a_single_one_has_the_name_of_its_kind(form: dict[str, Any]) -> None:
    found, wrong = objectives(form, ("objectives",))
    assert wrong == []
    assert list(found) == ["CurrentDriven"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (guided(model={"type": "SPMx"}), ("model", "type")),
        (guided(model={"type": "SPM", "options": {"thermal": "x"}}), ("model", "options", "thermal")),
        (guided(objective="CurrentDrven"), ("objective",)),
        (guided(objective="Resistance"), ("objective",)),
        (guided(type="Pulse"), ("objective",)),
        (guided(options={"model": "SPM"}), ("model",)),
        (guided(options={"interpolant_atol": "x"}), ("options", "interpolant_atol")),
        (discharge(model={"type": "SPMx"}), ("options", "model", "type")),
    ],
)
def test_what_is_wrong_is_told_at_its_place(config: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert places(config) == [expected]


def test_an_equal_type_beside_is_taken() -> None:
    assert faults(guided(type="CurrentDriven")) == []


def test_a_fit_takes_it() -> None:
    objective = fit()["objectives"]["0.5 C"]
    model = objective["options"].pop("model")
    written = {"objective": objective.pop("type"), "model": model, **objective}
    assert pipeline_faults(ELEMENTS | {"fit": fit(objectives={"0.5 C": written})})["fit"] == []
