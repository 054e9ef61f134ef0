"""Optimisers: each finds the optimum of a straight line and of a curved valley."""

from __future__ import annotations

from typing import Any

import pytest
from ionworks_schema import parameter_estimators as published

from app.battery.fit.optimisers import OPTIMISERS, REFUSED_OPTIMISERS
from app.battery.fit.optimisers.scipy_minimize import METHODS, NO_BOUNDS
from tests.battery.fits import line, product, valley

BOUNDS = [-5.0, 5.0]
LINE = {"a": {"initial_value": 1.0, "bounds": BOUNDS}, "b": {"initial_value": 1.0, "bounds": BOUNDS}}
VALLEY = {"a": {"initial_value": -1.2, "bounds": BOUNDS}, "b": {"initial_value": 1.5, "bounds": BOUNDS}}
FREE = {name: {"initial_value": each["initial_value"]} for name, each in VALLEY.items()}
COST = {"type": "SSE", "normalization": "identity"}
WELL: list[dict[str, Any]] = [
    {"type": "ScipyMinimize"},
    *({"type": "ScipyMinimize", "method": each, "max_iterations": 2000} for each in METHODS if each not in NO_BOUNDS),
    *({"type": "ScipyLeastSquares", "method": each} for each in ("trf", "dogbox")),
    {"type": "ScipyDifferentialEvolution"},
    {"type": "CMAES"},
    {"type": "AskTellOptimizer", "method": "CMAES"},
]


def name(optimizer: dict[str, Any]) -> str:
    return " ".join(str(value) for value in optimizer.values())


@pytest.mark.parametrize("optimizer", WELL, ids=name)
def test_a_line_is_found(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    made = product(monkeypatch, line(), parameters=LINE, cost=COST, optimizer=optimizer, options={"seed": 1})
    assert made.values == pytest.approx({"a": 2.0, "b": 0.5}, rel=1e-3)
    assert made.fields["success"] is True


# COBYLA uses linear models of the cost and is slow in a curved valley.
@pytest.mark.parametrize("optimizer", [each for each in WELL if each.get("method") != "COBYLA"], ids=name)
def test_the_end_of_a_valley_is_found(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    made = product(monkeypatch, valley(), parameters=VALLEY, cost=COST, optimizer=optimizer, options={"seed": 1})
    assert made.values == pytest.approx({"a": 1.0, "b": 1.0}, rel=1e-3)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"type": "ScipyMinimize", "method": "BFGS"},
        {"type": "ScipyMinimize", "method": "CG", "max_iterations": 5000},
        {"type": "ScipyLeastSquares", "method": "lm"},
    ],
    ids=name,
)
def test_methods_without_bounds_find_it_too(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    made = product(monkeypatch, valley(), parameters=FREE, cost=COST, optimizer=optimizer)
    assert made.values == pytest.approx({"a": 1.0, "b": 1.0}, rel=1e-3)


@pytest.mark.parametrize("optimizer", WELL, ids=name)
def test_one_parameter_alone_is_found(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    parameters = {"a": LINE["a"], "b": 0.5}
    made = product(monkeypatch, line(), parameters=parameters, cost=COST, optimizer=optimizer, options={"seed": 1})
    assert made.values["a"] == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("kind", ["Dummy", "DummyOptimizer", "PointEstimate", "PointEstimateOptimizer"])
def test_a_point_estimate_is_the_initial_guess(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    made = product(monkeypatch, line(), parameters=LINE, optimizer={"type": kind})
    assert made.values == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("optimizer", WELL, ids=name)
def test_what_is_cut_short_is_told(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    made = product(
        monkeypatch,
        valley(),
        parameters=VALLEY,
        cost=COST,
        optimizer=optimizer,
        options={"seed": 1, "max_iterations": 1},
    )
    assert made.fields["success"] is False
    assert made.fields["iterations"] == 1
    assert "max_iterations" in made.fields["message"]


@pytest.mark.parametrize(
    "optimizer",
    [
        {"type": "ScipyMinimize", "method": "Nelder-Mead", "max_iterations": 3},
        {"type": "CMAES", "max_iterations": 3},
        {"type": "ScipyDifferentialEvolution", "max_iterations": 3},
    ],
    ids=name,
)
def test_an_optimiser_keeps_its_own_limit(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    made = product(monkeypatch, valley(), parameters=VALLEY, optimizer=optimizer, cost=COST, options={"seed": 1})
    assert made.fields["iterations"] == 3
    assert made.fields["success"] is False


@pytest.mark.parametrize("kind", ["CMAES", "ScipyDifferentialEvolution"])
def test_a_seed_makes_chance_repeatable(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def found(seed: int) -> Any:
        limited = {"type": kind, "max_iterations": 5}
        return product(monkeypatch, valley(), parameters=VALLEY, optimizer=limited, cost=COST, options={"seed": seed})

    assert found(7).fields["x"] == found(7).fields["x"]
    assert found(7).fields["x"] != found(8).fields["x"]


def test_cmaes_stops_at_what_the_public_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def message(**fields: Any) -> str:
        given = {"type": "CMAES"} | fields
        made = product(monkeypatch, line(noise=0.1), parameters=LINE, optimizer=given, cost=COST, options={"seed": 1})
        return str(made.fields["message"])

    assert message(threshold=100.0) == "stopped by ftarget"
    assert message(xtol=0.5) == "stopped by xtol"
    assert message(flat_fitness_tol=1e9) == "stopped by flat_fitness_tol"
    assert message(max_unchanged_iterations=2, absolute_tolerance=1e9) == "stopped by max_unchanged_iterations"
    assert message(population_convergence_tol=0.1, convergence_patience=1) == "stopped by population_convergence_tol"
    assert message(max_evaluations=10) == "stopped by maxfevals"


def test_every_optimiser_of_the_public_schema_is_supported_or_refused() -> None:
    fields = [getattr(each, "model_fields", {}) for each in vars(published).values()]
    tags = {tag for each in fields if "type" in each for tag in each["type"].annotation.__args__}
    assert set(OPTIMISERS) | set(REFUSED_OPTIMISERS) == tags
    assert not set(OPTIMISERS) & set(REFUSED_OPTIMISERS)


@pytest.mark.parametrize("kind", ["CMAES", "AskTellOptimizer"])
def test_fields_are_those_of_the_public_schema(kind: str) -> None:
    assert set(OPTIMISERS[kind].fields) == set(getattr(published, kind).model_fields) - {"type"}


def test_no_text_reaches_cma_but_what_is_written_here() -> None:
    fields = OPTIMISERS["CMAES"].fields
    options = fields["algorithm_options"].nested or {}
    assert all(each.check("os.abort()") for each in [*fields.values(), *options.values()])
