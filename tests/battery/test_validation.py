"""Validation: statistics of the model against the data, and failed objectives."""

from __future__ import annotations

import json
from typing import Any

import ionworks_schema.results
import numpy as np
import pytest

from app.battery.checked_element import ElementResult
from app.battery.expressions.symbols import encode
from app.battery.functions import Inputs
from app.battery.validation import KIND, parse_validation
from app.execution.executor import Fault, JobFailed
from app.models.enums import JobErrorCode, SeriesSource
from tests.battery.measured import (
    CURRENT,
    REFERENCE,
    TIME,
    TRUTH,
    VOLTAGE,
    discharge,
    elements,
    half_discharge,
    known_values,
    made,
)

CONFIG = {
    name: value
    for name, value in elements("b_current_driven_fit_validation")["validate"].items()
    if name != "element_type"
}
SOC = "Initial SOC [%]"


def wire(**values: float) -> dict[str, Any]:
    return {name: encode(name, value) for name, value in known_values().items()} | {REFERENCE: TRUTH} | values


def validated(config: dict[str, Any], values: dict[str, Any]) -> ElementResult:
    work, faults = parse_validation(config)
    assert faults == []
    assert work is not None
    return work.make(Inputs(values), lambda progress: None)


def failure(config: dict[str, Any], values: dict[str, Any]) -> JobFailed:
    with pytest.raises(JobFailed) as failed:
        validated(config, values)
    return failed.value


def compared(*names: str, **fields: Any) -> dict[str, Any]:
    return {"objectives": {name: half_discharge() for name in names}} | fields


def test_the_true_parameters_are_within_a_tenth_of_a_millivolt() -> None:
    statistics = validated(CONFIG, wire()).fields["summary_stats"]["0.5 C"]
    assert statistics["RMSE"][VOLTAGE] < 1e-4
    assert statistics["MAE"][VOLTAGE] <= statistics["RMSE"][VOLTAGE] <= statistics["Max"][VOLTAGE] < 1e-4


def test_statistics_have_the_unit_of_the_data() -> None:
    found = validated(compared("one"), wire(**{REFERENCE: 1.0})).fields["summary_stats"]["one"]
    one = made(half_discharge())
    residuals = one.simulate(known_values() | {REFERENCE: 1.0}, [])({})[VOLTAGE] - one.data[VOLTAGE]
    assert list(found) == ["RMSE", "MAE", "Max"]
    assert found["RMSE"][VOLTAGE] == pytest.approx(np.sqrt(np.mean(residuals**2)))
    assert found["MAE"][VOLTAGE] == pytest.approx(np.mean(np.abs(residuals)))
    assert found["Max"][VOLTAGE] == pytest.approx(np.max(np.abs(residuals)))


def test_a_statistic_may_ask_for_a_normalisation() -> None:
    config = compared("one", summary_stats=["RMSE", {"type": "MAE", "normalization": 2.0}])
    found = validated(config, wire(**{REFERENCE: 1.0})).fields["summary_stats"]["one"]
    plain = validated(compared("one"), wire(**{REFERENCE: 1.0})).fields["summary_stats"]["one"]
    assert list(found) == ["RMSE", "MAE"]
    assert found["MAE"][VOLTAGE] == pytest.approx(plain["MAE"][VOLTAGE] / 2)


def test_each_objective_has_a_series_of_data_and_model() -> None:
    (series,) = validated(CONFIG, wire()).series
    assert (series.objective, series.source) == ("0.5 C", SeriesSource.OPTIMAL)
    assert list(series.channels) == [TIME, CURRENT, f"{VOLTAGE} (data)", f"{VOLTAGE} (model)"]
    assert {len(channel) for channel in series.channels.values()} == {122}
    json.dumps(series.channels, allow_nan=False)


def test_an_objective_that_fails_is_listed_and_the_others_go_on() -> None:
    config = compared("sound", "hopeless", "lacking")
    config["objectives"]["hopeless"] = half_discharge() | {"parameters": {SOC: 140.0}}
    config["objectives"]["lacking"] = discharge(model={"type": "SPM", "options": {"contact resistance": "true"}})
    product = validated(config, {name: value for name, value in wire().items() if name != "Contact resistance [Ohm]"})
    assert list(product.fields["summary_stats"]) == ["sound"]
    assert [series.objective for series in product.series] == ["sound"]
    failed = product.fields["failed_objectives"]
    assert failed["hopeless"].startswith("The solver found no solution: Initial SOC [%] must be from 0 to 100")
    assert failed["lacking"] == "Missing parameters: Contact resistance [Ohm]."


def test_when_all_lack_parameters_it_fails_with_them() -> None:
    values = {name: value for name, value in wire().items() if name != REFERENCE}
    failed = failure(compared("a", "b"), values)
    assert failed.code is JobErrorCode.MODEL_ERROR
    assert failed.detail is not None
    assert failed.detail["missing"] == [REFERENCE]
    assert list(failed.detail["failed_objectives"]) == ["a", "b"]


def test_when_none_has_a_solution_it_fails_so() -> None:
    assert failure(compared("a", "b"), wire(**{SOC: 140.0})).code is JobErrorCode.SOLVER_ERROR


def test_the_official_client_decodes_the_result() -> None:
    product = validated(CONFIG, wire())
    assert product.values == {}
    result = ionworks_schema.results.BaseResults.from_config({"type": KIND, "parameter_values": {}} | product.fields)
    assert isinstance(result, ionworks_schema.results.ValidationResult)
    assert result.failed_objectives == {}
    assert result.summary_stats["0.5 C"]["RMSE"][VOLTAGE] < 1e-4


def test_the_effective_configuration_has_all_defaults() -> None:
    work, _ = parse_validation(compared("one"))
    assert work is not None
    assert [each["type"] for each in work.effective["summary_stats"]] == ["RMSE", "MAE", "Max"]
    assert work.effective["objectives"]["one"]["options"]["interpolant_rtol"] == 1e-4


def faults(config: dict[str, Any]) -> list[Fault]:
    work, found = parse_validation(config)
    assert (work is None) is bool(found)
    return found


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("objectives",)),
        ({"objectives": []}, ("objectives",)),
        ({"objectives": {}}, ("objectives",)),
        ({"objectives": {"a": {"type": "x"}}}, ("objectives", "a", "type")),
        (compared("a", summary_stat=[]), ("summary_stat",)),
        (compared("a", summary_stats=[]), ("summary_stats",)),
        (compared("a", summary_stats="RMSE"), ("summary_stats",)),
        (compared("a", summary_stats=[{"type": "RMS"}]), ("summary_stats", 0, "type")),
        (compared("a", summary_stats=["RMSE", "RMS"]), ("summary_stats", 1)),
        (compared("a", summary_stats=["RMSE", "RMSE"]), ("summary_stats", 1)),
        (compared("a", summary_stats=[{"type": "MAE", "normalisation": 1}]), ("summary_stats", 0, "normalisation")),
        (
            compared("a", summary_stats=[{"type": "MAE", "variable_weights": {"Volts": 1}}]),
            ("summary_stats", 0, "variable_weights", "Volts"),
        ),
    ],
)
def test_a_wrong_configuration_is_refused_at_its_place(config: dict[str, Any], expected: tuple[str | int, ...]) -> None:
    assert [fault.path for fault in faults(config)] == [expected]


def test_all_problems_are_told_at_once() -> None:
    config = {"objectives": {"a": {"type": "x"}, "b": discharge(model="y")}, "summary_stats": ["z"], "extra": 1}
    assert {fault.path for fault in faults(config)} == {
        ("objectives", "a", "type"),
        ("objectives", "b", "options", "model", "type"),
        ("summary_stats", 0),
        ("extra",),
    }
