"""Standard errors, intervals and correlations of fitted parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from tests.battery.fits import FormulaObjective, line, product

FREE = {"initial_value": 1.0, "bounds": [-5.0, 5.0]}
LINE = {"a": FREE, "b": FREE}
LEAST_SQUARES = {"type": "ScipyLeastSquares"}
SIMPLEX = {"type": "ScipyMinimize", "method": "Nelder-Mead", "max_iterations": 1000}


def regression(objective: FormulaObjective) -> tuple[np.ndarray, np.ndarray]:
    """Return the textbook estimate and covariance of a straight line."""
    y = objective.data["y"]
    design = np.stack([np.ones(y.size), np.linspace(0, 1, y.size)], axis=1)
    estimate, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    return estimate, np.linalg.inv(design.T @ design) * squares[0] / (y.size - 2)


@pytest.mark.parametrize(
    ("kind", "optimizer"), [("SSE", LEAST_SQUARES), ("MSE", LEAST_SQUARES), ("RMSE", SIMPLEX), ("SSE", SIMPLEX)]
)
@pytest.mark.parametrize("normalization", ["identity", "mean"])
def test_a_line_is_known_as_well_as_the_textbook_says(
    monkeypatch: pytest.MonkeyPatch, kind: str, optimizer: dict[str, Any], normalization: str
) -> None:
    objective = line(noise=0.1)
    cost = {"type": kind, "normalization": normalization}
    fields = product(monkeypatch, objective, parameters=LINE, cost=cost, optimizer=optimizer).fields
    estimate, covariance = regression(objective)
    errors = np.sqrt(np.diag(covariance))
    assert list(fields["standard_errors"].values()) == pytest.approx(errors, rel=1e-3)
    assert fields["correlation"]["parameters"] == ["a", "b"]
    assert fields["correlation"]["matrix"][0][1] == pytest.approx(covariance[0, 1] / errors.prod(), rel=1e-3)
    reach = t.ppf(0.975, 48) * errors[0]
    interval = fields["confidence_intervals"]["a"]
    assert fields["confidence_level"] == 0.95
    assert [interval["lower"], interval["upper"]] == pytest.approx([estimate[0] - reach, estimate[0] + reach], rel=1e-3)


def test_a_told_noise_counts_and_not_the_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = {"type": "GaussianLogLikelihood", "sigma": {"y": 0.7}}
    objective = line(noise=0.1)
    fields = product(monkeypatch, objective, parameters=LINE, cost=cost, optimizer=LEAST_SQUARES).fields
    y = objective.data["y"]
    design = np.stack([np.ones(y.size), np.linspace(0, 1, y.size)], axis=1)
    expected = 0.7 * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert list(fields["standard_errors"].values()) == pytest.approx(expected, rel=1e-6)


def test_a_noise_can_be_fitted_and_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = {"type": "GaussianLogLikelihood", "sigma": {"y": "s"}}
    parameters = LINE | {"s": {"initial_value": 0.5, "bounds": [0.01, 5], "transform": "Log"}}
    objective = line(noise=0.1)
    made = product(monkeypatch, objective, parameters=parameters, cost=cost)
    estimate, covariance = regression(objective)
    x = np.linspace(0, 1, 50)
    noise = np.sqrt(np.mean((objective.data["y"] - estimate[0] - estimate[1] * x) ** 2))
    assert made.values["s"] == pytest.approx(noise, rel=1e-4)
    assert made.fields["standard_errors"]["s"] == pytest.approx(noise / np.sqrt(100), rel=1e-3)
    likeliest = np.sqrt(np.diag(covariance) * 48 / 50)
    assert made.fields["standard_errors"]["a"] == pytest.approx(likeliest[0], rel=1e-3)


def test_the_errors_of_a_logarithm_are_physical_and_its_interval_is_lopsided(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(transform: str) -> Any:
        free = {"initial_value": 1.0, "bounds": [0.01, 10], "transform": transform}
        return product(monkeypatch, line(noise=0.3), parameters={"a": FREE, "b": free}, optimizer=LEAST_SQUARES).fields

    plain, log = found("Identity"), found("Log10")
    assert log["standard_errors"]["b"] == pytest.approx(plain["standard_errors"]["b"], rel=1e-3)
    assert log["correlation"]["matrix"][0][1] == pytest.approx(plain["correlation"]["matrix"][0][1], rel=1e-3)
    assert log["confidence_intervals"]["b"]["lower"] > 0


def test_a_falling_transform_keeps_the_sign_of_correlation(monkeypatch: pytest.MonkeyPatch) -> None:
    negated = FREE | {"transform": "Negate"}
    fields = product(monkeypatch, line(noise=0.1), parameters={"a": FREE, "b": negated}, optimizer=LEAST_SQUARES).fields
    assert fields["correlation"]["matrix"][0][1] < 0


def decay(seed: int) -> FormulaObjective:
    """Two variables of very different noise that depend on the same parameters."""
    x, rng = np.linspace(0, 5, 40), np.random.default_rng(seed)

    def formula(values: Any) -> dict[str, Any]:
        return {"y": values["a"] * np.exp(-values["b"] * x), "z": values["a"] * values["b"] * x}

    truth = formula({"a": 3.0, "b": 0.7})
    noisy = {"y": truth["y"] + 0.05 * rng.standard_normal(40), "z": truth["z"] + 1.0 * rng.standard_normal(40)}
    return FormulaObjective(formula, noisy, {"a", "b"})


@pytest.mark.parametrize("cost", [{"type": "SSE", "normalization": "identity"}, {"type": "MSE"}], ids=str)
def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch, cost: dict[str, Any]) -> None:
    parameters = {"a": {"initial_value": 1.0, "bounds": [0.1, 10]}, "b": {"bounds": [0.01, 10], "transform": "Log10"}}
    within = {"a": 0, "b": 0}
    for seed in range(30):
        made = product(monkeypatch, decay(seed), parameters=parameters, cost=cost, optimizer=LEAST_SQUARES)
        for name, truth in (("a", 3.0), ("b", 0.7)):
            within[name] += abs(made.values[name] - truth) <= made.fields["standard_errors"][name]
    # 68% of 30 are 20.4, give or take 2.5.
    assert all(14 <= times <= 27 for times in within.values()), within


def test_a_parameter_at_its_bound_is_listed_and_has_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": FREE, "b": {"initial_value": 1.0, "bounds": [0.8, 5.0]}}
    for optimizer in (LEAST_SQUARES, {"type": "ScipyMinimize"}):
        fields = product(monkeypatch, line(noise=0.01), parameters=parameters, optimizer=optimizer).fields
        assert fields["at_bounds"] == {"b": "lower"}
        assert set(fields["standard_errors"]) == {"a"}
        assert fields["uncertainty_absent"] == {"b": "it ended at its lower bound"}


def test_the_bound_of_a_falling_transform_is_the_physical_one(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": FREE, "b": {"initial_value": 1.0, "bounds": [0.8, 5.0], "transform": "Inverse"}}
    assert product(monkeypatch, line(), parameters=parameters).fields["at_bounds"] == {"b": "lower"}


@pytest.mark.parametrize("kind", ["MAE", "Max"])
def test_costs_that_no_slope_explains_have_no_uncertainty(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    fields = product(monkeypatch, line(noise=0.1), parameters=LINE, cost={"type": kind}, optimizer=SIMPLEX).fields
    assert fields["standard_errors"] == {}
    assert set(fields["uncertainty_absent"]) == {"a", "b"}


def test_what_data_do_not_tell_apart_has_no_error_and_what_they_tell_has(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0, 1, 30)
    y = 3.0 + 0.5 * x + 0.1 * np.random.default_rng(1).standard_normal(30)
    objective = FormulaObjective(lambda p: {"y": p["a"] + p["c"] + p["b"] * x}, {"y": y}, {"a", "b", "c"})
    made = product(monkeypatch, objective, parameters=LINE | {"c": FREE}, optimizer=LEAST_SQUARES)
    assert set(made.fields["standard_errors"]) == {"b"}
    assert set(made.fields["uncertainty_absent"]) == {"a", "c"}


def test_as_many_parameters_as_data_leave_no_noise_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = product(monkeypatch, line(size=2), parameters=LINE, optimizer=LEAST_SQUARES).fields
    assert fields["standard_errors"] == {}
    assert fields["correlation"] == {"parameters": [], "matrix": None}
