"""Course of a fit: starts, limits, failed evaluations, and progress reports."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

import numpy as np
import pytest
from ionworks_schema.results import OptimizationResult, from_config

from app.battery.fit import problem
from app.battery.fit.misfit import Misfit
from app.execution.executor import Progress
from app.models.enums import HISTORY, JobErrorCode, SeriesSource
from tests.battery.fits import FormulaObjective, fails, line, product, round_trip, solverless, valley

BOUNDS = [-5.0, 5.0]
LINE = {"a": {"initial_value": 1.0, "bounds": BOUNDS}, "b": {"initial_value": 1.0, "bounds": BOUNDS}}
VALLEY = {name: each | {"initial_value": -1.2} for name, each in LINE.items()}
LEAST_SQUARES = {"type": "ScipyLeastSquares"}


def waves() -> FormulaObjective:
    """Many local minima; the deepest is at a = 2."""
    return FormulaObjective(lambda p: {"y": [p["a"] - 2, 3 * np.sin(4 * (p["a"] - 2))]}, {"y": [0.0, 0.0]}, {"a"})


PLAIN = {"type": "SSE", "normalization": "identity"}


def test_the_model_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = line()
    product(monkeypatch, objective, parameters=LINE, multistarts=3, options={"seed": 1})
    assert objective.built == 1


def test_the_official_client_decodes_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    made = product(monkeypatch, line(), parameters=LINE, multistarts=2, options={"seed": 3})
    decoded = from_config(round_trip({"type": made.kind, "parameter_values": made.values, **made.fields}))
    assert isinstance(decoded, OptimizationResult)
    assert decoded["a"] == pytest.approx(2.0, rel=1e-6)
    assert decoded.cost == decoded.fun == made.fields["cost"]
    assert [child.job_id for child in decoded.children] in ([0, 1], [1, 0])
    assert set(decoded.children[0].initial_guess or {}) == {"a", "b"}
    assert made.fields["seed"] == 3


def test_more_starts_find_the_deepest_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": {"initial_value": -4.0, "bounds": [-5, 5]}}
    alone = product(monkeypatch, waves(), parameters=parameters, cost=PLAIN)
    several = product(monkeypatch, waves(), parameters=parameters, cost=PLAIN, multistarts=20, options={"seed": 1})
    assert alone.values["a"] < 0
    assert several.values["a"] == pytest.approx(2.0, abs=1e-4)
    costs = [child["cost"] for child in several.fields["children"]]
    assert costs == sorted(costs)
    assert costs[0] == several.fields["cost"]
    assert several.fields["total_evaluations"] == sum(child["evaluations"] for child in several.fields["children"])


@pytest.mark.parametrize("sampler", [None, {"type": "LatinHypercube"}, {"type": "Uniform"}])
def test_starts_are_drawn_within_bounds_by_the_seed(monkeypatch: pytest.MonkeyPatch, sampler: Any) -> None:
    def guesses(seed: int) -> list[float]:
        made = product(
            monkeypatch,
            line(),
            parameters=LINE,
            optimizer={"type": "PointEstimate"},
            multistarts=10,
            initial_guess_sampler=sampler,
            options={"seed": seed},
        )
        return sorted(child["initial_guess"]["a"] for child in made.fields["children"])

    found = guesses(1)
    assert found == guesses(1)
    assert found != guesses(2)
    assert all(-5 <= each <= 5 for each in found)
    if sampler != {"type": "Uniform"}:  # one in each tenth of the range
        assert [int((each + 5) // 1) for each in found] == list(range(10))


def test_starts_of_a_logarithm_are_spread_over_decades(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": {"bounds": [1e-4, 1e4], "transform": "Log10"}, "b": LINE["b"]}
    still = {"type": "PointEstimate"}
    made = product(monkeypatch, line(), parameters=parameters, optimizer=still, multistarts=8, options={"seed": 1})
    decades = sorted(np.log10(child["initial_guess"]["a"]) for child in made.fields["children"])
    assert [int(np.floor(each)) for each in decades] == list(range(-4, 4))


def test_given_guesses_are_where_searches_start(monkeypatch: pytest.MonkeyPatch) -> None:
    still = {"type": "PointEstimate"}
    one = product(monkeypatch, line(), parameters=LINE, optimizer=still, initial_guesses={"a": 3})
    assert one.values == {"a": 3.0, "b": 1.0}
    given = [{"a": 0.0}, {"a": 2.0, "b": 0.5}]
    two = product(monkeypatch, line(), parameters=LINE, optimizer=still, initial_guesses=given)
    assert two.values == {"a": 2.0, "b": 0.5}
    assert [child["job_id"] for child in two.fields["children"]] == [1, 0]


def test_a_seed_is_made_where_none_is_given_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (product(monkeypatch, line(), parameters=LINE).fields["seed"] for _ in range(2))
    assert first != second


def test_time_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(problem, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("app.battery.fit.run.monotonic", lambda: 0.0)
    made = product(monkeypatch, valley(), parameters=VALLEY, cost=PLAIN, options={"maxtime": 9.5})
    assert made.fields["success"] is False
    assert made.fields["message"] == "maxtime is reached"
    assert made.fields["evaluations"] < 10


def edge(limit: float) -> FormulaObjective:
    """y = a, without a solution below a limit."""

    def formula(values: Mapping[str, float]) -> Mapping[str, Any]:
        return solverless(values) if values["a"] < limit else {"y": np.full(5, values["a"])}

    return FormulaObjective(formula, {"y": np.array([0.9, 1.1, 1.0, 0.95, 1.05])}, {"a"})


@pytest.mark.parametrize(
    "optimizer",
    [
        {"type": "ScipyMinimize"},
        {"type": "ScipyMinimize", "method": "Nelder-Mead"},
        LEAST_SQUARES,
        {"type": "ScipyDifferentialEvolution"},
        {"type": "CMAES"},
    ],
    ids=lambda each: each.get("method", each["type"]),
)
def test_points_without_a_solution_are_survived_and_counted(
    monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]
) -> None:
    parameters = {"a": {"initial_value": 4.0, "bounds": [-5, 5]}}
    objective = edge(0.99)
    made = product(monkeypatch, objective, parameters=parameters, optimizer=optimizer, cost=PLAIN, options={"seed": 1})
    assert made.values["a"] == pytest.approx(1.0, abs=2e-3)
    failed = made.fields["failed_evaluations"]
    assert isinstance(failed, int)
    if optimizer["type"] in ("ScipyDifferentialEvolution", "CMAES"):
        assert failed > 0


def test_a_model_that_is_not_finite_is_no_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = FormulaObjective(lambda p: {"y": np.full(3, np.inf)}, {"y": np.ones(3)}, {"a"})
    failure = fails(monkeypatch, objective, parameters={"a": {"bounds": [0, 1]}})
    assert failure.code is JobErrorCode.SOLVER_ERROR


@pytest.mark.parametrize("kind", ["ScipyMinimize", "ScipyLeastSquares", "ScipyDifferentialEvolution", "CMAES", "Dummy"])
def test_a_model_without_any_solution_is_a_solver_error(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    objective = FormulaObjective(solverless, {"y": np.ones(3)}, {"a"})
    failure = fails(monkeypatch, objective, parameters={"a": {"bounds": [0, 1]}}, optimizer={"type": kind})
    assert failure.code is JobErrorCode.SOLVER_ERROR
    assert "no solution" in failure.message
    assert objective.calls <= problem.HOPELESS


def test_one_start_without_a_solution_does_not_spoil_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": {"initial_value": 4.0, "bounds": [-5, 5]}}
    guesses = [{"a": -4.0}, {"a": 4.0}]
    made = product(monkeypatch, edge(0.5), parameters=parameters, optimizer=LEAST_SQUARES, initial_guesses=guesses)
    assert made.values["a"] == pytest.approx(1.0, abs=1e-6)
    assert [child["success"] for child in made.fields["children"]] == [True, False]
    assert made.fields["children"][1]["cost"] is None


def test_progress_tells_physical_values_and_the_best_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "INTERVAL", 0.0)
    told: list[Progress] = []
    parameters = {"a": {"initial_value": 1.0, "bounds": [0.1, 10], "transform": "Log10"}, "b": LINE["b"]}
    made = product(monkeypatch, line(), told.append, parameters=parameters)
    assert told[0].parameters == pytest.approx({"a": 1.0, "b": 1.0})
    assert told[-1].parameters == made.values
    bests = [each.best_cost for each in told if each.best_cost is not None]
    assert bests == sorted(bests, reverse=True)
    assert bests[-1] == told[-1].cost == made.fields["cost"]
    assert [each.iteration for each in told[:3]] == [1, 2, 3]


def test_progress_is_told_a_few_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    begun = monotonic()
    strategy = {"type": "CMAES"}
    product(monkeypatch, valley(), told.append, parameters=VALLEY, cost=PLAIN, optimizer=strategy, options={"seed": 1})
    assert len(told) <= 2 + (monotonic() - begun) / problem.INTERVAL


def test_series_are_of_the_best_and_of_the_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = line(size=3)
    made = product(monkeypatch, objective, parameters=LINE)
    optimal, baseline, _ = made.series
    assert (optimal.source, baseline.source) == (SeriesSource.OPTIMAL, SeriesSource.BASELINE)
    assert list(optimal.channels) == ["x", "y (data)", "y (model)"]
    assert optimal.channels["y (model)"] == pytest.approx([2.0, 2.25, 2.5])
    assert baseline.channels["y (model)"] == pytest.approx([1.0, 1.5, 2.0])
    skipping = {"skip_objective_callbacks": True}
    kept = product(monkeypatch, objective, parameters=LINE, options=skipping).series
    assert [(each.objective, each.source) for each in kept] == [
        ("formula", SeriesSource.OPTIMAL),
        (HISTORY, SeriesSource.OPTIMAL),
    ]


def test_several_objectives_are_met_together(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FormulaObjective(lambda p: {"y": [p["a"]] * 3}, {"y": [1.0] * 3}, {"a"})
    second = FormulaObjective(lambda p: {"y": [p["a"]]}, {"y": [2.0]}, {"a"})
    objectives = {"first": first, "second": second}
    parameters = {"a": {"initial_value": 0.5}}

    def at(**cost: Any) -> float:
        made = product(monkeypatch, objectives, parameters=parameters, cost={"normalization": "identity"} | cost)
        return float(made.values["a"])

    assert at(type="SSE") == pytest.approx(1.25, rel=1e-5)
    assert at(type="MSE") == pytest.approx(1.5, rel=1e-5)
    assert at(type="MSE", objective_weights={"second": 3}) == pytest.approx(1.75, rel=1e-5)
    assert at(type="SSE", calculation_structure={"second": None}) == pytest.approx(2.0, rel=1e-5)


def test_a_cost_adds_up_terms_by_their_weights() -> None:
    from app.battery.costs import parse_cost

    cost, _ = parse_cost({"type": "MAE", "normalization": 2, "variable_weights": {"z": 5}}, ())
    assert cost is not None
    data = {"o": {"y": np.zeros(2), "z": np.zeros(4)}}
    misfit = Misfit(cost, data, {})
    errors = misfit.errors({"o": {"y": np.array([2.0, 4.0]), "z": np.full(4, 2.0)}}, {})
    assert misfit.data_cost(errors, {}) == pytest.approx(1.5 + 5 * 1.0)


def test_a_solver_error_of_the_guess_leaves_its_series_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = product(
        monkeypatch,
        edge(0.5),
        parameters={"a": {"initial_value": -4.0, "bounds": [-5, 5]}},
        optimizer={"type": "ScipyDifferentialEvolution"},
        options={"seed": 1},
    )
    assert [each.objective for each in made.series] == ["formula", HISTORY]
