"""Priors of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from tests.battery.fits import FormulaObjective, product

SIZE, NOISE, SEED = 40, 0.3, 5
DATA = 2.0 + NOISE * np.random.default_rng(SEED).standard_normal(SIZE)
PRIOR = {"distribution": "Normal", "mean": 1.0, "std": 0.05}
IDENTITY = {"normalization": "identity"}


def constant(data: Any = DATA) -> FormulaObjective:
    return FormulaObjective(lambda p: {"y": np.full(len(data), p["a"])}, {"y": data}, {"a"})


def at(monkeypatch: pytest.MonkeyPatch, cost: dict[str, Any], prior: Any = PRIOR, **config: Any) -> float:
    parameters = {"a": {"initial_value": 1.5, "bounds": [-5, 5], "prior": prior}}
    made = product(monkeypatch, constant(), parameters=parameters, cost=cost, **config)
    return float(made.values["a"])


def known_noise(sigma: float, weight: float = 1.0) -> float:
    """Return the mean of data and prior, weighted by their precisions."""
    data, prior = SIZE / sigma**2, weight / 0.05**2
    return float((data * DATA.mean() + prior * 1.0) / (data + prior))


def unknown_noise(of: Any, weight: float = 1.0) -> float:
    """Return the minimum of n log s(a) + z^2 / 2, with s the most likely scale of the noise."""
    found = optimize.minimize_scalar(
        lambda a: SIZE * np.log(of(DATA - a)) + weight * ((a - 1.0) / 0.05) ** 2 / 2,
        bounds=(0.5, 3.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(found.x)


def root(errors: Any) -> float:
    return float(np.sqrt(np.mean(errors**2)))


@pytest.mark.parametrize("optimizer", [{"type": "ScipyMinimize"}, {"type": "ScipyLeastSquares"}])
@pytest.mark.parametrize(
    "cost",
    [
        {"type": "GaussianLogLikelihood", "sigma": {"y": 0.3}},
        {"type": "ChiSquare", "variable_standard_deviations": {"y": 0.3}},
    ],
    ids=lambda each: each["type"],
)
def test_a_likelihood_and_a_prior_make_the_posterior(
    monkeypatch: pytest.MonkeyPatch, cost: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    assert at(monkeypatch, cost, optimizer=optimizer) == pytest.approx(known_noise(0.3), rel=1e-5)
    weighed = PRIOR | {"regularizer_weight": 4.0}
    assert at(monkeypatch, cost, weighed, optimizer=optimizer) == pytest.approx(known_noise(0.3, 4.0), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [
        ("SSE", {"type": "ScipyMinimize"}),
        ("SSE", {"type": "ScipyLeastSquares"}),
        ("MSE", {"type": "ScipyLeastSquares"}),
        ("RMSE", {"type": "ScipyMinimize"}),
    ],
)
@pytest.mark.parametrize("normalization", ["identity", "mean", 100])
def test_where_the_noise_is_unknown_its_likeliest_scale_weighs_the_prior(
    monkeypatch: pytest.MonkeyPatch, kind: str, optimizer: dict[str, Any], normalization: Any
) -> None:
    cost = {"type": kind, "normalization": normalization}
    assert at(monkeypatch, cost, optimizer=optimizer) == pytest.approx(unknown_noise(root), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "scale"), [("MAE", lambda e: np.mean(np.abs(e))), ("Max", lambda e: np.max(np.abs(e)))]
)
def test_other_costs_are_likelihoods_of_other_noise(monkeypatch: pytest.MonkeyPatch, kind: str, scale: Any) -> None:
    simplex = {"type": "ScipyMinimize", "method": "Nelder-Mead"}
    assert at(monkeypatch, {"type": kind} | IDENTITY, optimizer=simplex) == pytest.approx(
        unknown_noise(scale), rel=1e-3
    )


def test_data_without_noise_outweigh_any_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": {"initial_value": 1.0, "bounds": [-5, 5], "prior": PRIOR}}
    exact = constant(np.full(10, 2.0))
    made = product(monkeypatch, exact, parameters=parameters, optimizer={"type": "ScipyLeastSquares"})
    assert made.values["a"] == pytest.approx(2.0, rel=1e-9)


def test_a_prior_settles_what_data_leave_open(monkeypatch: pytest.MonkeyPatch) -> None:
    total = FormulaObjective(lambda p: {"y": np.full(SIZE, p["a"] + p["b"])}, {"y": DATA}, {"a", "b"})
    parameters = {
        "a": {"initial_value": 0.7, "bounds": [-5, 5], "prior": PRIOR},
        "b": {"initial_value": 0.7, "bounds": [-5, 5]},
    }
    made = product(monkeypatch, total, parameters=parameters, optimizer={"type": "ScipyLeastSquares"})
    assert made.values == pytest.approx({"a": 1.0, "b": DATA.mean() - 1.0}, rel=1e-4)
    errors = made.fields["standard_errors"]
    assert errors["a"] == pytest.approx(0.05, rel=1e-3)
    spread = DATA.var(ddof=1) / SIZE
    assert errors["b"] == pytest.approx(np.sqrt(0.05**2 + spread), rel=0.02)


def test_a_log_normal_prior_is_centred_on_its_median(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = FormulaObjective(lambda p: {"y": DATA + 0 * p["a"]}, {"y": DATA + 0.1}, {"a"})
    prior = {"distribution": "LogNormal", "mean": -2.0, "std": 1.5}
    for transform in ("Identity", "Log10"):
        parameters = {"a": {"initial_value": 0.3, "bounds": [1e-3, 1], "prior": prior, "transform": transform}}
        made = product(monkeypatch, silent, parameters=parameters)
        assert made.values["a"] == pytest.approx(np.exp(-2.0), rel=1e-3)


def test_the_cost_of_the_data_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"a": {"initial_value": 1.5, "bounds": [-5, 5], "prior": PRIOR}}
    made = product(monkeypatch, constant(), parameters=parameters, cost={"type": "SSE"} | IDENTITY)
    data = float(np.sum((DATA - made.values["a"]) ** 2))
    deviation = (made.values["a"] - 1.0) / 0.05
    assert made.fields["data_cost"] == pytest.approx(data)
    assert made.fields["cost"] == pytest.approx(data * np.exp(deviation**2 / SIZE))
