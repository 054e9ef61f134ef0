"""Costs: their values and residuals, NaN in the model's output, and refused configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ionworks_schema import costs as published

from app.battery.costs import FIELDS, MEASURES, REFUSED_COSTS, Cost, parse_cost, scope_faults

MODEL, DATA = np.array([1.0, 2.0, 5.0, 4.0]), np.array([1.0, 3.0, 2.0, 2.0])
# Errors are 0, -1, 3, 2; the data's mean is 2.
PLAIN = {"SSE": 14.0, "MSE": 3.5, "RMSE": 3.5**0.5, "MAE": 1.5, "Max": 3.0}


def cost(config: Any, **fields: Any) -> Cost:
    made, faults = parse_cost({"type": config} | fields, ("cost",))
    assert faults == []
    assert made is not None
    return made


def places(config: Any) -> list[tuple[str | int, ...]]:
    made, faults = parse_cost(config, ("cost",))
    assert (made is None) == bool(faults)
    return [fault.path for fault in faults]


@pytest.mark.parametrize(("kind", "expected"), PLAIN.items())
def test_each_cost_by_hand(kind: str, expected: float) -> None:
    assert cost(kind, normalization="identity")(MODEL, DATA) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("normalization", "scale"),
    [
        ("mean", 2.0),
        (None, 2.0),
        ("range", 2.0),
        ("sum_squares", 18.0),
        ("mean_squares", 4.5),
        ("root_mean_squares", 4.5**0.5),
        ("identity", 1.0),
        (0.5, 0.5),
    ],
)
def test_errors_are_divided_by_the_normalisation(normalization: Any, scale: float) -> None:
    assert cost("Max", normalization=normalization)(MODEL, DATA) == pytest.approx(3 / scale, rel=1e-14)


def test_a_statistic_has_the_unit_of_the_data_unless_told_otherwise() -> None:
    plain, _ = parse_cost("RMSE", ("summary_stats", 0), "identity")
    assert plain is not None
    assert plain(MODEL, DATA) == pytest.approx(PLAIN["RMSE"])


@pytest.mark.parametrize("kind", [name for name, measure in MEASURES.items() if measure.array is not None])
def test_the_squares_of_residuals_add_up_to_the_cost(kind: str) -> None:
    measure, errors = MEASURES[kind], MODEL - DATA
    assert measure.array is not None
    half = 0.5 if kind == "GaussianLogLikelihood" else 1.0
    assert half * float(np.sum(measure.array(errors) ** 2)) == pytest.approx(measure.scalar(errors), rel=1e-14)


@pytest.mark.parametrize(("nan_values", "filled"), [("mean", 3.0), ("min", 1.0), (7, 7.0), (None, 3.0)])
def test_nan_of_a_model_is_replaced(nan_values: Any, filled: float) -> None:
    model = np.array([1.0, np.nan, 5.0])
    assert cost("SSE", nan_values=nan_values).filled(model).tolist() == [1.0, filled, 5.0]


def test_a_likelihood_replaces_nan_by_what_no_data_are() -> None:
    likelihood = cost("GaussianLogLikelihood", sigma={"y": 1.0})
    assert likelihood.filled(np.array([np.nan, 1.0])).tolist() == [1e6, 1.0]


def test_a_model_of_nothing_but_nan_stays_one() -> None:
    assert np.isnan(cost("SSE").filled(np.full(3, np.nan))).all()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, [("cost",)]),
        (7, [("cost",)]),
        ("RMS", [("cost",)]),
        ({}, [("cost", "type")]),
        ({"type": "rmse"}, [("cost", "type")]),
        ({"type": ["RMSE"]}, [("cost", "type")]),
        ({"type": "MultiCost", "costs": []}, [("cost", "type")]),
        ({"type": "Wasserstein"}, [("cost", "type")]),
        ({"type": "RMSE", "normalisation": "mean"}, [("cost", "normalisation")]),
        ({"type": "RMSE", "normalization": "median"}, [("cost", "normalization")]),
        ({"type": "RMSE", "normalization": 0}, [("cost", "normalization")]),
        ({"type": "RMSE", "normalization": float("nan")}, [("cost", "normalization")]),
        ({"type": "RMSE", "scale": "mean"}, [("cost", "scale")]),
        ({"type": "RMSE", "nan_values": "max"}, [("cost", "nan_values")]),
        ({"type": "RMSE", "objective_weights": [1]}, [("cost", "objective_weights")]),
        ({"type": "RMSE", "variable_weights": {"y": -1}}, [("cost", "variable_weights")]),
        ({"type": "SSE", "calculation_structure": {"a": "y"}}, [("cost", "calculation_structure")]),
        ({"type": "SSE", "calculation_structure": {}, "objective_names": []}, [("cost", "objective_names")]),
        ({"type": "ChiSquare"}, [("cost", "variable_standard_deviations")]),
        ({"type": "ChiSquare", "variable_standard_deviations": {"y": 0}}, [("cost", "variable_standard_deviations")]),
        ({"type": "GaussianLogLikelihood"}, [("cost", "sigma")]),
        ({"type": "GaussianLogLikelihood", "sigma": {"y": -1}}, [("cost", "sigma")]),
        ({"type": "GaussianLogLikelihood", "sigma": {"y": 1}, "variable_weights": {}}, [("cost", "variable_weights")]),
    ],
)
def test_a_wrong_cost_is_refused_at_its_place(config: Any, expected: list[tuple[str | int, ...]]) -> None:
    assert places(config) == expected


def test_a_misspelt_field_is_told_its_nearest_name() -> None:
    (fault,) = parse_cost({"type": "RMSE", "normalisation": "mean"}, ())[1]
    assert "did you mean `normalization`?" in fault.message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"objective_weights": {"b": 1}}, ("cost", "objective_weights", "b")),
        ({"variable_weights": {"z": 1}}, ("cost", "variable_weights", "z")),
        ({"calculation_structure": {"b": None}}, ("cost", "calculation_structure", "b")),
        ({"calculation_structure": {"a": ["z"]}}, ("cost", "calculation_structure", "a", "z")),
        ({"objective_names": ["b"]}, ("cost", "objective_names", "b")),
        ({"calculation_structure": {"a": []}}, ("cost",)),
        ({"objective_weights": {"a": 0}}, ("cost",)),
        ({"normalization": "range"}, ("cost", "normalization")),
    ],
)
def test_a_cost_must_fit_what_is_compared(fields: Any, expected: tuple[str, ...]) -> None:
    (fault,) = scope_faults(cost("SSE", **fields), {"a": {"y": np.ones(3)}}, ("cost",))
    assert fault.path == expected


def test_the_noise_of_each_variable_must_be_told() -> None:
    likelihood = cost("GaussianLogLikelihood", sigma={"y": 1.0})
    (fault,) = scope_faults(likelihood, {"a": {"y": DATA, "z": DATA}}, ("cost",))
    assert fault.path == ("cost", "sigma")
    assert "z" in fault.message


def test_every_cost_of_the_public_schema_is_supported_or_refused_with_all_its_fields() -> None:
    bases = {"ObjectiveFunction", "ErrorFunction", "WeightedCost"}
    named = set(published.__all__) - bases
    assert set(FIELDS) | set(REFUSED_COSTS) == named
    for kind, fields in FIELDS.items():
        schema = getattr(published, kind)
        assert set(fields) == set(schema.model_fields) - {"type"} - schema._unsupported_fields, kind
