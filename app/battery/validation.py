"""Validation: simulate the objectives with the pipeline's parameter values, and compare them with the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pybamm

from app.battery.checked_element import CheckedElement, ElementResult, ParsedElement
from app.battery.checks.fields import Field, Path, settle, shown
from app.battery.checks.public_schema import schema_faults
from app.battery.costs import Cost, parse_cost, scope_faults
from app.battery.functions import Inputs, explain_missing
from app.battery.objectives import Objective, objectives
from app.battery.objectives.objective import Array
from app.battery.objectives.series import series
from app.battery.warnings.objective_warnings import objective_warnings
from app.execution.executor import Fault, JobFailed
from app.models.enums import JobErrorCode, SeriesSource

DEFAULT_STATISTICS = ["RMSE", "MAE", "Max"]
MAX_STATISTICS = 20
KIND = "ValidationResult"
FIELDS = {"objectives": Field(lambda value: None), "summary_stats": Field(lambda value: None, DEFAULT_STATISTICS)}

Answer = dict[str, Array]
"""Output of a model by variable."""


def parse_validation(config: Mapping[str, Any]) -> ParsedElement:
    """Check a validation. Return the element, or every problem."""
    settings, faults = settle(FIELDS, config)
    compared, wrong = objectives(settings["objectives"], ("objectives",)) if "objectives" in settings else ({}, [])
    statistics, bad = _statistics(settings["summary_stats"], ("summary_stats",), compared)
    faults += wrong + bad
    if not faults:
        faults += schema_faults({"element_type": "validation", **config})
    if faults:
        return None, faults
    effective = {
        "element_type": "validation",
        "objectives": {name: each.effective for name, each in compared.items()},
        "summary_stats": [each.effective for each in statistics],
    }
    return CheckedElement(effective, lambda inputs, report: _validate(compared, statistics, inputs), sets=dict), []


def _statistics(config: Any, path: Path, compared: Mapping[str, Objective]) -> tuple[list[Cost], list[Fault]]:
    """Check the statistics: costs without normalisation by default, so that they have the unit of the data."""
    if not isinstance(config, list) or not 0 < len(config) <= MAX_STATISTICS:
        return [], [Fault(f"`summary_stats` must be a list of 1 to {MAX_STATISTICS} costs, not {shown(config)}.", path)]
    statistics: dict[str, Cost] = {}
    faults: list[Fault] = []
    data = {name: each.data for name, each in compared.items()}
    for index, each in enumerate(config):
        cost, wrong = parse_cost(each, (*path, index), normalization="identity")
        faults += wrong
        if cost is None:
            continue
        if data:
            faults += scope_faults(cost, data, (*path, index))
        if statistics.setdefault(cost.kind, cost) is not cost:
            faults.append(Fault(f"{cost.kind} is given twice.", (*path, index)))
    return list(statistics.values()), faults


def _validate(compared: Mapping[str, Objective], statistics: list[Cost], inputs: Inputs) -> ElementResult:
    """Run all objectives in order. Report failed ones by name and continue. Raises JobFailed if all fail."""
    values = inputs.decoded()
    answers: dict[str, Answer] = {}
    failed: dict[str, JobFailed] = {}
    for name, objective in compared.items():
        try:
            answers[name] = objective.simulate(values, [])({})
        except JobFailed as error:
            failed[name] = explain_missing(error, values)
        except pybamm.SolverError as error:
            failed[name] = JobFailed(JobErrorCode.SOLVER_ERROR, f"The solver found no solution: {error}")
    if not answers:
        raise _all_failed(failed)
    fields = {
        "summary_stats": {name: _summary(name, compared[name], each, statistics) for name, each in answers.items()},
        "failed_objectives": {name: error.message for name, error in failed.items()},
        "validation_results": {},
        "warnings": [each.to_json() for each in objective_warnings(compared, answers, values)],
    }
    plots = [series(name, compared[name], SeriesSource.OPTIMAL, each) for name, each in answers.items()]
    return ElementResult({}, KIND, fields, plots)


def _all_failed(failed: Mapping[str, JobFailed]) -> JobFailed:
    """Return the failure: the common code of all objectives, or MODEL_ERROR."""
    codes = {error.code for error in failed.values()}
    code = codes.pop() if len(codes) == 1 else JobErrorCode.MODEL_ERROR
    told = " ".join(f"{name}: {error.message}" for name, error in failed.items())
    detail = {"failed_objectives": {name: error.message for name, error in failed.items()}}
    missing = sorted({name for error in failed.values() for name in (error.detail or {}).get("missing", [])})
    return JobFailed(
        code, f"No objective could be simulated. {told}", detail | ({"missing": missing} if missing else {})
    )


def _summary(name: str, objective: Objective, answer: Answer, statistics: list[Cost]) -> dict[str, dict[str, float]]:
    """Return the statistics by name and variable."""
    return {
        cost.kind: {
            variable: float(cost(answer[variable], measured))
            for variable, measured in objective.data.items()
            if cost.takes(name, variable)
        }
        for cost in statistics
    }
