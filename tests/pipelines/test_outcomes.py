"""Parsed results: what results of any version and form tell."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.models.enums import ElementType, SeriesSource
from app.pipelines.results.failures import problems
from app.pipelines.results.objectives import objectives
from app.pipelines.results.outcomes import Outcome
from app.pipelines.results.parsed import ParsedResult, ResultParser, Statistic, merged_parameters, merged_values

VALUES = {"D [m2.s-1]": 2.0, "k": 3, "fixed [m]": 1.5, "f [V]": {"$type": "x"}, "text": "a", "none": None}
FIT: dict[str, Any] = {
    "parameter_values": {
        "D [m2.s-1]": 2.0,
        "k": 3,
        "fixed [m]": 1.5,
        "f [V]": {"$type": "x"},
        "text": "a",
        "none": None,
    },
    "cost": 0.5,
    "initial_cost": 4.0,
    "success": True,
    "message": "It converged.",
    "evaluations": 30,
    "iterations": 4,
    "initial_guess": {"D [m2.s-1]": 1.0, "k": 2},
    "at_bounds": {"k": "upper"},
    "standard_errors": {"D [m2.s-1]": 0.25},
    "confidence_level": 0.95,
    "confidence_intervals": {"D [m2.s-1]": {"lower": 1.5, "upper": 2.5}},
    "effective_config": {
        "parameters": {"D [m2.s-1]": {"bounds": [0.1, None]}, "k": {"bounds": [1.0, 3.0]}, "fixed [m]": 1.5},
        "objectives": {"1 C": {"type": "CurrentDriven"}},
    },
}


def parsed(result: Any) -> ParsedResult:
    return ParsedResult(orjson.dumps(result).decode())


def test_a_fit_tells_all_about_its_free_parameters() -> None:
    found = {each.name: each for each in parsed(FIT).parameters("fit")}
    assert list(found) == ["D [m2.s-1]", "k", "fixed [m]", "f [V]", "text"]
    diffusivity, rate, fixed = (found[name] for name in ("D [m2.s-1]", "k", "fixed [m]"))
    assert (diffusivity.unit, diffusivity.value, diffusivity.raw, diffusivity.element) == ("m2.s-1", 2.0, 2.0, "fit")
    assert (diffusivity.initial_value, diffusivity.standard_error) == (1.0, 0.25)
    assert (diffusivity.lower, diffusivity.upper, diffusivity.confidence_level) == (1.5, 2.5, 0.95)
    assert (diffusivity.at_bound, diffusivity.bounds) == (False, [0.1, None])
    assert (rate.value, rate.unit, rate.at_bound, rate.bounds, rate.standard_error) == (3.0, None, True, [1, 3], None)
    assert (rate.confidence_level, rate.lower) == (None, None)
    assert (fixed.value, fixed.initial_value, fixed.at_bound, fixed.bounds) == (1.5, None, None, None)
    assert (found["f [V]"].value, found["f [V]"].raw) == (None, {"$type": "x"})
    assert found["text"].value is None


def test_an_outcome_reads_the_fields_of_a_fit() -> None:
    outcome = Outcome(ElementType.DATA_FIT, "fit", parsed(FIT))
    assert (outcome.cost, outcome.initial_cost, outcome.data_cost) == (0.5, 4.0, None)
    assert (outcome.success, outcome.message, outcome.evaluations, outcome.iterations) == (True, "It converged.", 30, 4)
    assert parsed(FIT).objective_types == {"1 C": "CurrentDriven"}


def test_a_validation_summarises_each_objective() -> None:
    stats = {"a": {"RMSE": {"Voltage [V]": 0.1, "x": None}, "Max": 2}, "b": {}}
    found = parsed({"summary_stats": stats, "failed_objectives": {"c": "It has no solution."}}).summaries
    assert [(each.name, each.error) for each in found] == [("a", None), ("b", None), ("c", "It has no solution.")]
    assert found[0].statistics == [
        Statistic("RMSE", "Voltage [V]", 0.1),
        Statistic("RMSE", "x", None),
        Statistic("Max", None, 2.0),
    ]


ODD: list[Any] = [None, [], "x", 7, True, {}, [[]], {"x": None}, {"k": {"bounds": 3}}, 2**63, "é", 1e308]
FIELDS = ("parameters", "warnings", "objectives", "cost", "success", "message", "evaluations", "restarts")


@pytest.mark.parametrize("odd", ODD, ids=[f"{each!r:.20}" for each in ODD])
def test_parts_of_an_unexpected_form_are_left_out(odd: Any) -> None:
    for name in [*FIT, "warnings", "summary_stats", "failed_objectives"]:
        result = parsed({**FIT, name: odd})
        outcome = Outcome(ElementType.DATA_FIT, "fit", result)
        found = {field: getattr(outcome, field) for field in FIELDS}
        found["parameters"] = list(found["parameters"])  # made when they are read
        assert all(isinstance(found[field], list) for field in FIELDS[:3])
        assert found["cost"] == (0.5 if name != "cost" else float(odd) if type(odd) in (int, float) else None)
        assert all(isinstance(kind, str) for kind in result.objective_types.values())
    assert list(parsed(odd).parameters("x")) == []


def test_a_number_beyond_its_type_is_left_out() -> None:
    assert parsed({"evaluations": 2**31}).integer("evaluations") is None
    assert parsed({"evaluations": 2**31 - 1}).integer("evaluations") == 2**31 - 1
    assert parsed({"evaluations": True}).integer("evaluations") is None
    assert parsed({"cost": False}).number("cost") is None
    assert ParsedResult('{"cost": 18446744073709551615}').number("cost") == 2.0**64


def test_later_elements_replace_earlier_ones() -> None:
    first = parsed({"parameter_values": {"a": 1, "b": 2}})
    assert merged_values([first, parsed(FIT)], ["k", "a", "nothing"]) == {"k": 3, "a": 1}
    assert merged_values([], None) is None
    assert merged_values([parsed({})], None) == {}
    second = parsed({"parameter_values": {"b": 5}, "initial_guess": {"b": 4}})
    found = merged_parameters([("one", first), ("two", second)])
    assert [(each.name, each.value, each.element, each.initial_value) for each in found] == [
        ("a", 1.0, "one", None),
        ("b", 5.0, "two", 4.0),
    ]


def test_equal_results_share_one_parse() -> None:
    parse = ResultParser()
    assert parse("".join(['{"a"', ":1}"])) is parse("".join(['{"a":', "1}"]))
    assert parse(None) is None


def test_problems_have_their_paths() -> None:
    problem = {"path": ["objectives", 0, "data"], "message": "It is missing."}
    detail = orjson.dumps({"problems": [problem, {"path": "x", "message": ""}, {"path": []}, 3]}).decode()
    failed = '{"failed_objectives": {"1 C": "No solution.", "2 C": 3}}'
    found = problems([("fit", detail), ("check", failed), ("none", None), ("odd", "[1]")])
    assert [tuple(each) for each in found] == [
        ("fit", ["objectives", "0", "data"], "It is missing."),
        ("check", ["objectives", "1 C"], "No solution."),
    ]


def test_channels_are_grouped_by_objective_and_source() -> None:
    best, first = SeriesSource.OPTIMAL, SeriesSource.BASELINE
    rows = [("a", best, "t", 80), ("a", best, "V", 80), ("b", best, "t", 8), ("a", first, "t", 16)]
    one, other = objectives("id", rows, {"a": "EIS"})
    assert (one.name, one.type, [tuple(each) for each in one.sources]) == (
        "a",
        "EIS",
        [(best, 10, ["t", "V"]), (first, 2, ["t"])],
    )
    assert (other.name, other.type, [tuple(each) for each in other.sources]) == ("b", None, [(best, 1, ["t"])])
