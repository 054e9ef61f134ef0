"""Linked parameters of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.expressions.symbols import decode, encode
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests.battery.fits import FormulaObjective, line, planned, product
from tests.battery.work import evaluated

A, B, C, K = (pybamm.Parameter(name) for name in "abck")
FREE = {"initial_value": 1.0, "bounds": [-5.0, 5.0]}


def linked(symbol: Any) -> Any:
    return encode("link", symbol)


def test_a_parameter_follows_another(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = line(a=2.0, b=0.5)
    made = product(monkeypatch, objective, parameters={"b": FREE, "a": linked(4 * B)})
    assert made.values == pytest.approx({"b": 0.5, "a": 2.0}, rel=1e-4)
    assert objective.given == {"a", "b"}


def test_links_follow_links_fixed_values_and_values_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"b": linked(C * K), "c": linked(A / 2 + 1), "a": FREE, "k": 0.25}
    made = product(monkeypatch, line(a=2.0, b=0.5), parameters=parameters)
    assert made.values == pytest.approx({"a": 2.0, "c": 2.0, "b": 0.5, "k": 0.25}, rel=1e-4)
    before = {name: each for name, each in parameters.items() if name != "k"}
    again = product(monkeypatch, line(a=2.0, b=0.5), parameters=before, inputs={"k": 0.25})
    assert again.values["b"] == pytest.approx(0.5, rel=1e-4)
    assert "k" not in again.values


def test_a_function_follows_parameters_and_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    x = np.linspace(0, 1, 5)

    class Watching(FormulaObjective):
        def simulate(self, values: Any, free: Any) -> Any:
            seen.update(values)
            return super().simulate(values, free)

    objective = Watching(lambda p: {"y": p["a"] * x}, {"y": 2 * x}, {"f"})
    function = encode("f", lambda sto: A * sto)
    made = product(monkeypatch, objective, parameters={"a": FREE, "f": function})
    assert objective.given == {"a"}
    assert isinstance(seen["f"], pybamm.Symbol)
    handed = {name: encode(name, value) for name, value in made.values.items()}
    assert evaluated("f", handed, 3.0) == pytest.approx(6.0, rel=1e-4)
    assert decode(handed["f"]) == seen["f"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"a": FREE, "b": linked(B + 1)}, [("parameters", "b")]),
        ({"a": FREE, "b": linked(C + A), "c": linked(2 * B)}, [("parameters", "b"), ("parameters", "c")]),
        ({"a": FREE, "b": linked(pybamm.t * A)}, [("parameters", "b")]),
        ({"a": FREE, "b": linked(np.array([1.0, 2.0]))}, [("parameters", "b")]),
        ({"a": FREE, "b": {"$type": "os.abort"}}, [("parameters", "b", "$type")]),
        (
            {"a": FREE, "b": {"module": "os", "class": "abort"}},
            [("parameters", "b", "module"), ("parameters", "b", "class")],
        ),
        ({"a": FREE, "b": [1, 2]}, [("parameters", "b")]),
        ({"a": FREE, "b": "2 * a"}, [("parameters", "b")]),
        ({"a": FREE, "b": None}, [("parameters", "b")]),
        ({"a": FREE, "b": True}, [("parameters", "b")]),
        ({"b": linked(K + 1)}, [("parameters",)]),
    ],
)
def test_a_wrong_link_is_refused_at_its_place(
    monkeypatch: pytest.MonkeyPatch, parameters: Any, expected: list[tuple[str, ...]]
) -> None:
    work, faults = planned(monkeypatch, {"o": line()}, parameters=parameters)
    assert work is None
    assert [fault.path for fault in faults] == expected


def test_a_link_to_what_is_not_there_is_refused_before_and_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": FREE, "b": linked(K * A)}
    work, _ = planned(monkeypatch, {"o": line()}, parameters=parameters)
    assert work is not None
    (fault,) = work.unfit({})
    assert fault.path == ("parameters", "b")
    assert "k" in fault.message
    assert work.unfit({"k": 1.0}) == []
    with pytest.raises(JobFailed) as failed:
        product(monkeypatch, line(), parameters=parameters)
    assert failed.value.code is JobErrorCode.CONFIGURATION_ERROR
    assert failed.value.detail == {"problems": [{"message": fault.message, "path": ["parameters", "b"]}]}


def test_a_parameter_that_no_objective_uses_is_refused_unless_told_not_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": FREE, "b": FREE, "z": FREE}
    work, _ = planned(monkeypatch, {"o": line()}, parameters=parameters)
    assert work is not None
    assert [fault.path for fault in work.unfit({})] == [("parameters", "z")]
    quiet, _ = planned(monkeypatch, {"o": line()}, parameters=parameters, options={"validate": False})
    assert quiet is not None
    assert quiet.unfit({}) == []


def test_a_parameter_is_used_by_way_of_a_link_or_as_a_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": FREE, "z": FREE, "b": linked(2 * pybamm.Parameter("z")), "s": {"bounds": [0.1, 1]}}
    cost = {"type": "GaussianLogLikelihood", "sigma": {"y": "s"}}
    work, faults = planned(monkeypatch, {"o": line()}, parameters=parameters, cost=cost)
    assert faults == []
    assert work is not None
    assert work.unfit({}) == []
