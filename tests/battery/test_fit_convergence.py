"""Convergence of searches: steps from noise, restarts, limits, and standard errors in every scaling."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from app.battery.fit.optimisers.scipy_minimize import METHODS, NO_BOUNDS
from tests.battery.fits import FormulaObjective, line, planned, product, solverless

PLAIN = {"type": "SSE", "normalization": "identity"}
LEAST = {"type": "ScipyLeastSquares"}
DERIVATIVES: list[dict[str, Any]] = [
    LEAST,
    LEAST | {"method": "dogbox"},
    *({"type": "ScipyMinimize", "method": each} for each in ("L-BFGS-B", "SLSQP", "TNC", "trust-constr", "BFGS", "CG")),
]
BOUNDED = [{"type": "ScipyMinimize", "method": each} for each in METHODS if each not in NO_BOUNDS] + DERIVATIVES[:2]
X = np.linspace(0, 5, 80)


def name(optimizer: dict[str, Any]) -> str:
    return str(optimizer.get("method", optimizer["type"]))


def decay(size: float = 1.0, jitter: float = 0.0, noise: float = 0.01) -> FormulaObjective:
    """y = exp(-k x / size) from k = 0.7 size; `jitter` is the noise of the model itself, the same at the same k."""
    y = np.exp(-0.7 * X) + noise * np.random.default_rng(0).standard_normal(X.size)

    def formula(values: Any) -> dict[str, Any]:
        rate = values["k"] / size
        rng = np.random.default_rng(abs(hash(rate)) % 2**32)
        return {"y": np.exp(-rate * X) + jitter * rng.standard_normal(X.size)}

    return FormulaObjective(formula, {"y": y}, {"k"})


def textbook(objective: FormulaObjective) -> tuple[float, float]:
    """Compute the rate and its standard error by Gauss-Newton steps with exact slopes."""
    y, rate, error = objective.data["y"], 0.7, 0.0
    for _ in range(50):
        curve = np.exp(-rate * X)
        slope = -X * curve
        rate += float(slope @ (y - curve) / (slope @ slope))
        error = float(np.sqrt(np.sum((y - curve) ** 2) / (X.size - 1) / (slope @ slope)))
    return rate, error


@pytest.mark.parametrize("optimizer", DERIVATIVES, ids=name)
@pytest.mark.parametrize("start", [0.3, 1.5])
def test_noise_of_the_model_hides_no_slope(
    monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any], start: float
) -> None:
    objective = decay(jitter=1e-5)
    rate, error = textbook(objective)
    free = {"initial_value": start} | ({} if optimizer.get("method") in NO_BOUNDS else {"bounds": [0.01, 20]})
    made = product(monkeypatch, objective, parameters={"k": free}, cost=PLAIN, optimizer=optimizer)
    assert made.values["k"] == pytest.approx(rate, abs=0.2 * error)
    assert made.fields["success"] is True
    assert made.fields["standard_errors"]["k"] == pytest.approx(error, rel=0.05)


def test_noise_is_measured_in_a_handful_of_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet, noisy = decay(), decay(jitter=1e-5)
    free = {"k": {"initial_value": 0.7, "bounds": [0.01, 20]}}
    for objective in (quiet, noisy):
        product(monkeypatch, objective, parameters=free, cost=PLAIN, optimizer=LEAST)
    assert quiet.calls <= 20
    assert noisy.calls <= 40


@pytest.mark.parametrize("size", [1e-14, 1.0, 1e9])
@pytest.mark.parametrize("is_normalized", [True, False])
@pytest.mark.parametrize(
    "bounds", [None, [0.1, 10.0], [1e-3, 1e4], [1e-3, 1e6]], ids=lambda each: "free" if each is None else str(each[1])
)
@pytest.mark.parametrize("optimizer", DERIVATIVES[:3], ids=name)
def test_errors_and_estimates_are_the_same_in_every_scaling(
    monkeypatch: pytest.MonkeyPatch, size: float, is_normalized: bool, bounds: list[float] | None, optimizer: Any
) -> None:
    objective = decay(size)
    rate, error = textbook(objective)
    free: dict[str, Any] = {"initial_value": 0.4 * size, "normalize": is_normalized}
    if bounds is not None:
        free["bounds"] = [each * size for each in bounds]
    fields = product(monkeypatch, objective, parameters={"k": free}, cost=PLAIN, optimizer=optimizer)
    assert fields.values["k"] == pytest.approx(rate * size, abs=0.1 * error * size)
    assert fields.fields["standard_errors"]["k"] == pytest.approx(error * size, rel=1e-3)
    assert fields.fields["success"] is True


@pytest.mark.parametrize("transform", ["Log", "Log10", "Inverse", "Negate"])
def test_errors_are_the_same_in_every_transform(monkeypatch: pytest.MonkeyPatch, transform: str) -> None:
    objective = decay(1e-14)
    _, error = textbook(objective)
    free = {"bounds": [1e-17, 1e-10], "initial_value": 1e-14, "transform": transform}
    made = product(monkeypatch, objective, parameters={"k": free}, cost=PLAIN, optimizer=LEAST)
    assert made.fields["standard_errors"]["k"] == pytest.approx(error * 1e-14, rel=1e-3)


def test_the_middle_of_wide_bounds_is_a_start_like_another(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = decay(1e-14)
    rate, error = textbook(objective)
    free = {"k": {"bounds": [1e-16, 4e-13]}}
    for optimizer in DERIVATIVES[:3]:
        made = product(monkeypatch, objective, parameters=free, cost=PLAIN, optimizer=optimizer)
        assert made.values["k"] == pytest.approx(rate * 1e-14, abs=0.1 * error * 1e-14)
        assert made.fields["standard_errors"]["k"] == pytest.approx(error * 1e-14, rel=1e-3)


def test_a_plateau_is_no_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    for optimizer in BOUNDED:
        free = {"k": {"bounds": [1e-3, 2000.0]}}
        made = product(monkeypatch, decay(), parameters=free, cost=PLAIN, optimizer=optimizer)
        is_there = abs(made.values["k"] - 0.7) < 0.05
        assert made.fields["success"] is is_there, optimizer
        assert is_there or "OPTIMISER_HARDLY_MOVED" in codes(made) or "NOT_CONVERGED" in codes(made)


def cliff() -> FormulaObjective:
    """Two slopes of a line, far beyond all data if the first is large, like a particle that runs empty."""
    y = 1.0 + 0.5 * X + 0.02 * X**2 + 0.01 * np.random.default_rng(3).standard_normal(X.size)

    def formula(values: Any) -> dict[str, Any]:
        empty = np.logaddexp(0.0, 40 * (values["a"] - 3.0)) / 40
        return {"y": 1.0 + values["a"] * X + values["b"] * X**2 + 1e5 * empty * X}

    return FormulaObjective(formula, {"y": y}, {"a", "b"})


@pytest.mark.parametrize("optimizer", BOUNDED, ids=name)
def test_a_hopeless_start_sets_no_tolerance(monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any]) -> None:
    objective = cliff()
    design = np.stack([X, X**2], axis=1)
    estimate, squares, *_ = np.linalg.lstsq(design, objective.data["y"] - 1.0, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * squares[0] / (X.size - 2))
    free = {"a": {"initial_value": 5.0, "bounds": [-10, 10]}, "b": {"initial_value": 1.0, "bounds": [-10, 10]}}
    made = product(monkeypatch, objective, parameters=free, cost=PLAIN, optimizer=optimizer)
    away = max(abs(made.values[each] - estimate[row]) / errors[row] for row, each in enumerate("ab"))
    assert made.fields["success"] is bool(away < 0.5), (away, made.fields["message"])
    assert "START_FAR_FROM_END" in codes(made)
    if optimizer.get("method") not in ("COBYLA", "Powell"):
        assert made.fields["success"] is True


def codes(made: Any) -> list[str]:
    return [each["code"] for each in made.fields["warnings"]]


LINE = {name: {"initial_value": 1.0, "bounds": [-5.0, 5.0]} for name in ("a", "b")}


@pytest.mark.parametrize("kind", ["MAE", "Max"])
def test_costs_without_slopes_are_restarted_until_they_stay(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    simplex = {"type": "ScipyMinimize", "method": "Nelder-Mead"}
    made = product(monkeypatch, line(noise=0.1), parameters=LINE, cost={"type": kind}, optimizer=simplex)
    assert made.fields["restarts"] >= 1
    assert made.fields["success"] is True


def test_an_optimiser_that_never_moved_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = {"type": "ScipyMinimize", "options": {"gtol": 1e9}}
    made = product(monkeypatch, line(noise=0.1), parameters=LINE, cost={"type": "MAE"}, optimizer=stuck)
    assert made.fields["success"] is False
    assert "NOT_CONVERGED" in codes(made)


def test_a_start_at_the_optimum_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = line(noise=0.1)
    design = np.stack([np.ones(50), np.linspace(0, 1, 50)], axis=1)
    best = dict(zip("ab", np.linalg.lstsq(design, objective.data["y"], rcond=None)[0].tolist(), strict=True))
    at = {each: {"initial_value": value, "bounds": [-5.0, 5.0]} for each, value in best.items()}
    made = product(monkeypatch, objective, parameters=at, cost=PLAIN)
    assert made.fields["success"] is True
    assert codes(made) == ["OPTIMISER_HARDLY_MOVED"]


def test_limits_of_an_optimiser_are_those_of_all_its_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"a": {"initial_value": 5.0, "bounds": [-10, 10]}, "b": {"initial_value": 1.0, "bounds": [-10, 10]}}
    for optimizer, most in (
        (LEAST | {"max_nfev": 4}, 4),
        ({"type": "ScipyMinimize", "method": "L-BFGS-B", "options": {"maxfun": 6}}, 20),
        ({"type": "CMAES", "max_evaluations": 30}, 36),
    ):
        made = product(monkeypatch, cliff(), parameters=free, cost=PLAIN, optimizer=optimizer, options={"seed": 1})
        assert made.fields["success"] is False
        assert codes(made)[0] == "NOT_CONVERGED"
        assert made.fields["evaluations"] <= most * 5  # slopes do not count as evaluations of the method


def test_maxtime_is_that_of_all_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("app.battery.fit.problem.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("app.battery.fit.run.monotonic", lambda: float(next(clock)))
    made = product(
        monkeypatch, decay(), parameters={"k": {"bounds": [0.01, 20]}}, cost=PLAIN, multistarts=4,
        options={"maxtime": 40.0, "seed": 1},
    )  # fmt: skip
    assert made.fields["total_evaluations"] <= 40
    assert [child["success"] for child in made.fields["children"]] == [False] * 4


def test_surrogate_tolerances_are_refused_where_there_is_no_surrogate(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, value in itertools.product(("CMAES", "AskTellOptimizer"), (None, 1e-3, 1e-5)):
        optimizer = {"type": kind, "surrogate_convergence_tol": value}
        _, faults = planned(monkeypatch, {"formula": line()}, parameters=LINE, optimizer=optimizer)
        assert [each.path for each in faults] == ([("optimizer", "surrogate_convergence_tol")] if value == 1e-5 else [])


def test_parameters_at_bounds_and_without_errors_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": LINE["a"], "b": {"initial_value": 1.0, "bounds": [0.8, 5.0]}}
    warnings = product(monkeypatch, line(noise=0.01), parameters=parameters, optimizer=LEAST).fields["warnings"]
    assert [(each["code"], each["parameter"]) for each in warnings] == [
        ("PARAMETER_AT_BOUND", "b"),
        ("NO_STANDARD_ERRORS", "b"),
    ]
    assert "lower bound" in warnings[0]["message"]


def test_correlated_parameters_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(20, 21, 60)
    y = 2.0 + 0.5 * x + 0.1 * np.random.default_rng(0).standard_normal(60)
    objective = FormulaObjective(lambda p: {"y": p["a"] + p["b"] * x}, {"y": y}, {"a", "b"})
    free = {"a": {"initial_value": 2.1, "bounds": [-500, 500]}, "b": {"initial_value": 0.6, "bounds": [-5, 5]}}
    made = product(monkeypatch, objective, parameters=free, cost=PLAIN, optimizer=LEAST)
    assert [each for each in codes(made) if each != "START_FAR_FROM_END"] == ["HIGH_CORRELATION"]
    assert "a and b" in made.fields["warnings"][-1]["message"]


def test_starts_that_disagree_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    y = 0.01 * np.arange(6)
    waves = FormulaObjective(lambda p: {"y": [p["a"] - 2] * 3 + [3 * np.sin(4 * (p["a"] - 2))] * 3}, {"y": y}, {"a"})
    free = {"a": {"initial_value": 2.1, "bounds": [-5, 5]}}
    several = product(monkeypatch, waves, parameters=free, cost=PLAIN, multistarts=8, options={"seed": 1})
    assert "STARTS_DISAGREE" in codes(several)
    alone = product(monkeypatch, line(noise=0.1), parameters=LINE, cost=PLAIN, multistarts=4, options={"seed": 1})
    assert "STARTS_DISAGREE" not in codes(alone)


def test_failed_evaluations_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def formula(values: Any) -> Any:
        return solverless(values) if values["a"] > 3 else {"y": np.full(20, values["a"])}

    y = 1 + 0.1 * np.random.default_rng(1).standard_normal(20)
    free = {"a": {"initial_value": 4.0, "bounds": [-5, 5]}}
    objective = FormulaObjective(formula, {"y": y}, {"a"})
    made = product(
        monkeypatch, objective, parameters=free, cost=PLAIN, optimizer={"type": "CMAES"}, options={"seed": 1}
    )
    assert {"FAILED_EVALUATIONS", "START_FAR_FROM_END"} <= set(codes(made))


def test_a_given_step_is_a_share_of_the_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def formula(values: Any) -> dict[str, Any]:
        seen.append(values["k"])
        return {"y": np.exp(-values["k"] * 1e14 * X)}

    objective = FormulaObjective(formula, {"y": np.exp(-0.7 * X) + 0.01 * X}, {"k"})
    free = {"k": {"bounds": [1e-16, 1e-10], "initial_value": 1e-14}}
    product(monkeypatch, objective, parameters=free, cost=PLAIN, optimizer=LEAST | {"diff_step": 1e-2})
    assert seen[1] / seen[0] == pytest.approx(1.01, rel=1e-6)
