"""Readers of the fields that parse results and failures, or read series."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Integer, bindparam

from app.models.enums import ElementType, SeriesSource
from app.models.tables import Pipeline, PipelineElement, SeriesChannel
from app.pipelines import repository
from app.pipelines.budget import PARSED, Budget
from app.pipelines.results.failures import problems
from app.pipelines.results.objectives import SIZE, Channel, channels_query, objectives
from app.pipelines.results.outcomes import Outcome
from app.pipelines.results.parsed import ParsedResult, merged_parameters, merged_values
from schema.plans.child_rows import ChildRows
from schema.plans.readers.projections import Projection
from schema.plans.row_builder import FieldReader, RowBuilder, dictionary
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import CALLER
from schema.types.results.outcomes import OUTCOMES

PIPELINE: Any = Pipeline.__table__.c  # type: ignore[attr-defined]
ELEMENT: Any = PipelineElement.__table__.c  # type: ignore[attr-defined]
SERIES: Any = SeriesChannel.__table__.c  # type: ignore[attr-defined]
LIMIT: Any = bindparam("limit_", type_=Integer)
Results = Sequence[tuple[str, ParsedResult]]
Part = Callable[[RowBuilder, FieldDetailsList], ast.expr]


def parameter_values(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    names = _names(rows, "PipelineElement", details)
    rows.weigh(ELEMENT.result)
    return rows.call(_selected_values, rows.parsed_result(ELEMENT.result), names)


def _selected_values(result: ParsedResult | None, names: list[str] | None) -> dict[str, Any] | None:
    return None if result is None else result.parameter_values(names)


def _names(rows: RowBuilder, type_name: str, details: FieldDetailsList) -> ast.expr:
    arguments = rows.compiling.selections.arguments(type_name, details)
    return rows.value(lambda run: arguments(run.values).get("names"))


def warnings(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    shown = Projection(rows.compiling.selections, "ResultWarning", details)
    return rows.call(partial(_warnings, shown), rows.parsed_result(ELEMENT.result), _budget(rows))


def _warnings(shown: Projection, result: ParsedResult | None, budget: Budget) -> list[dict[str, Any]] | None:
    return None if result is None else shown.all(result.warnings, budget)


def outcome(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    """Plan each type that the outcome may have: the type of the element's row decides."""
    selections = rows.compiling.selections
    shown = {kind.name: (kind, Projection(selections, made.__name__, details)) for kind, made in OUTCOMES.items()}
    row = [rows.stored(ELEMENT.element_type), rows.stored(ELEMENT.name), rows.parsed_result(ELEMENT.result)]
    return rows.call(partial(_outcome, shown), *row, _budget(rows))


def _outcome(
    shown: Mapping[str, tuple[ElementType, Projection]],
    element_type: str,
    name: str,
    result: ParsedResult | None,
    budget: Budget,
) -> dict[str, Any] | None:
    if result is None:
        return None
    kind, projection = shown[element_type]
    return projection.one(Outcome(kind, name, result), budget)


def element_objectives(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    budget = _budget(rows)
    channels = _shared(rows, "channels", _channels).all(rows)
    shown = Projection(rows.compiling.selections, "ElementObjective", details)
    result = rows.parsed_result(ELEMENT.result) if "type" in shown.names else ast.Constant(None)
    return rows.call(partial(_objectives, shown), channels, result, budget)


def _channels(rows: RowBuilder) -> ChildRows:
    # Nested in a query of elements, its subquery would find all elements; parameters of its own prevent that.
    return ChildRows(
        rows,
        ELEMENT.id,
        lambda ids: channels_query(CALLER, ids).limit(LIMIT),
        SERIES.element_id,
        lambda each: _tuple(*(each.stored(column) for column in (SERIES.objective, SERIES.source, SERIES.name, SIZE))),
        lambda run: {},
        LIMIT,
    )


def _objectives(
    shown: Projection, channels: Sequence[tuple[str, str, str, int]], result: ParsedResult | None, budget: Budget
) -> list[dict[str, Any]]:
    found: list[Channel] = [(objective, SeriesSource[source], *more) for objective, source, *more in channels]  # type: ignore[misc]
    return shown.all(objectives("", found, result.objective_types if result else {}), budget)


def merged(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    """Plan `parameterValues` of a pipeline."""
    names = _names(rows, "Pipeline", details)
    return rows.call(_merged_values, _shared(rows, "results", _results).all(rows), names, _budget(rows))


def _merged_values(results: Results, names: list[str] | None, budget: Budget) -> dict[str, Any] | None:
    budget.take_bytes(sum(result.size for _, result in results))
    return merged_values([result for _, result in results], names)


def parameters(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    """Plan `parameters` of a pipeline."""
    budget = _budget(rows)
    shown = Projection(rows.compiling.selections, "ParameterValue", details)
    return rows.call(partial(_parameters, shown), _shared(rows, "results", _results).all(rows), budget)


def _parameters(shown: Projection, results: Results, budget: Budget) -> list[dict[str, Any]]:
    return shown.all(merged_parameters(results), budget)


def _results(rows: RowBuilder) -> ChildRows:
    """Return the results of a pipeline's elements with the names of these, in execution order."""
    has_result = ELEMENT.result.is_not(None)
    return _elements(
        rows, has_result, lambda each: _tuple(each.stored(ELEMENT.name), each.parsed_result(ELEMENT.result))
    )


def _shared(rows: RowBuilder, name: str, make: Callable[[RowBuilder], ChildRows]) -> ChildRows:
    """Return children that all fields and aliases of a row share."""
    if name not in rows.shared:
        rows.shared[name] = make(rows)
    found: ChildRows = rows.shared[name]
    return found


def _elements(rows: RowBuilder, clause: Any, make: Callable[[RowBuilder], ast.expr]) -> ChildRows:
    query = partial(repository.elements_query, CALLER)
    return ChildRows(rows, PIPELINE.id, lambda ids: query(ids).where(clause), ELEMENT.pipeline_id, make)


def element_failure(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    def found(problem: FieldDetailsList) -> ast.expr:
        detail = _detail(rows)
        return _problems(rows, problem, ast.List([_tuple(rows.stored(ELEMENT.name), detail)], ast.Load()))

    parts: dict[str, Part] = {
        "element": lambda rows, element: rows.object("PipelineElement", element),
        "problems": lambda rows, problem: found(problem),
    }
    return rows.unless_null(ELEMENT.error_code, _failure(rows, details, ELEMENT, parts))


def pipeline_failure(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    failed = ELEMENT.error_code.is_not(None)

    def element(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
        return _elements(rows, failed, lambda each: each.object("PipelineElement", details)).first(rows)

    def found(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
        told = _elements(rows, failed, lambda each: _tuple(each.stored(ELEMENT.name), _detail(each)))
        return _problems(rows, details, told.all(rows))

    parts: dict[str, Part] = {"element": element, "problems": found}
    return rows.unless_null(PIPELINE.error_code, _failure(rows, details, PIPELINE, parts))


FAILURE = frozenset({"code", "message", "element", "problems", "__typename"})
"""Fields of a failure."""


def _failure(rows: RowBuilder, details: FieldDetailsList, columns: Any, parts: Mapping[str, Part]) -> ast.expr:
    """Plan the failure that the error columns of a row tell."""
    rows.weigh(columns.error)
    plain: dict[str, Part] = {
        "code": lambda rows, details: rows.column(columns.error_code),
        "message": lambda rows, details: rows.column_or(columns.error, ""),
        "__typename": lambda rows, details: rows.name("Failure"),
    }
    made = {}
    for key, each in rows.compiling.selections.fields("Failure", details).items():
        part = {**plain, **parts}.get(name_of(each))
        if part is None:
            raise Unplanned
        made[key] = part(rows, each)
    return dictionary(made)


def _detail(rows: RowBuilder) -> ast.expr:
    """Return the code for the stored details of a failed element, which are parsed."""
    rows.weigh(ELEMENT.error_detail, PARSED)
    return rows.stored(ELEMENT.error_detail)


def _problems(rows: RowBuilder, details: FieldDetailsList, failed: ast.expr) -> ast.expr:
    shown = Projection(rows.compiling.selections, "ConfigurationProblem", details)
    return rows.call(lambda failed, budget: shown.all(problems(failed), budget), failed, _budget(rows))


def _budget(rows: RowBuilder) -> ast.expr:
    return rows.value(lambda run: run.budget)


def _tuple(*parts: ast.expr) -> ast.expr:
    return ast.Tuple(list(parts), ast.Load())


PIPELINE_FIELDS: dict[str, FieldReader] = {
    "failure": pipeline_failure,
    "parameterValues": merged,
    "parameters": parameters,
}
ELEMENT_FIELDS: dict[str, FieldReader] = {
    "parameterValues": parameter_values,
    "warnings": warnings,
    "outcome": outcome,
    "objectives": element_objectives,
    "failure": element_failure,
}
