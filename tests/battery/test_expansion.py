"""Values that refer to each other repeatedly are refused before PyBaMM substitutes them."""

from __future__ import annotations

from typing import Any

import pybamm
import pytest

from app.battery.expressions.expression_size import MAX_EXPANDED, require_bounded
from app.battery.expressions.symbols import decode, encode
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests.battery.measured import chen2020, discharge, made

DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"
DEPTH = 60


def doubled(depth: int) -> dict[str, Any]:
    """Build v0, v1 = v0 + v0, v2 = v1 + v1 and so on."""
    steps = {f"v{k}": pybamm.Parameter(f"v{k - 1}") + pybamm.Parameter(f"v{k - 1}") for k in range(1, depth)}
    return {"v0": 1.0, **steps}


def called(depth: int) -> dict[str, Any]:
    """Build functions of which each calls the one before twice."""

    def step(k: int) -> Any:
        return lambda x: (
            pybamm.FunctionParameter(f"v{k - 1}", {"x": x}) + pybamm.FunctionParameter(f"v{k - 1}", {"x": x})
        )

    steps = {f"v{k}": decode(encode(f"v{k}", step(k))) for k in range(1, depth)}
    return {"v0": decode(encode("v0", lambda x: x + 1)), **steps}


def nested(depth: int) -> dict[str, Any]:
    """Build a value that calls a function of itself, which uses its argument twice."""
    value: Any = pybamm.Parameter("a")
    for _ in range(depth):
        value = pybamm.FunctionParameter("v0", {"x": value})
    return {"a": 1.0, "v0": decode(encode("v0", lambda x: x * x)), f"v{depth - 1}": value}


@pytest.mark.parametrize("values", [doubled, called, nested])
def test_what_grows_twofold_at_each_step_is_refused_by_name(values: Any) -> None:
    require_bounded(["v7"], values(8))
    with pytest.raises(JobFailed, match=f"v{DEPTH - 1}") as failed:
        require_bounded([f"v{DEPTH - 1}"], values(DEPTH))
    assert failed.value.code is JobErrorCode.MODEL_ERROR
    assert str(MAX_EXPANDED) in failed.value.message


def test_a_model_is_not_built_of_such_values() -> None:
    values = chen2020() | doubled(DEPTH) | {DIFFUSIVITY: pybamm.Parameter(f"v{DEPTH - 1}")}
    with pytest.raises(JobFailed, match=DIFFUSIVITY.split(" [")[0]):
        made(discharge()).simulate(values, ["v0"])


@pytest.mark.parametrize("name", ["Chen2020", "Mohtat2020", "ORegan2022"])
def test_the_values_of_real_cells_are_far_from_it(name: str) -> None:
    values = dict(pybamm.ParameterValues(name))
    require_bounded(values, values)
