"""Fields: how plans read each field. A field without a resolver reads the column of its name; every other field is
listed here."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import GraphQLObjectType
from sqlalchemy import Boolean, Integer, Text, bindparam, cast, or_, select

from app.models.audit import AuditEntry
from app.models.enums import JobStatus, PipelineElementStatus, PipelineStatus
from app.models.tables import Checkpoint, JobLogLine, Pipeline, PipelineElement
from app.pipelines import repository
from schema import graphql_schema
from schema.plans.child_rows import ChildRows
from schema.plans.encoding.json_sql import listed
from schema.plans.measurements import fields as measurements
from schema.plans.readers import results
from schema.plans.readers.account import can, project
from schema.plans.readers.computed import computed
from schema.plans.row_builder import FieldReader, RowBuilder, dictionary
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import CALLER, Run
from schema.strawberry_internals import field_definition
from schema.types.pipelines import ChosenElements

TABLES: dict[str, Any] = {
    "Pipeline": Pipeline.__table__,  # type: ignore[attr-defined]
    "PipelineOptions": Pipeline.__table__,  # type: ignore[attr-defined]
    "PipelineElement": PipelineElement.__table__,  # type: ignore[attr-defined]
    "Job": PipelineElement.__table__,  # type: ignore[attr-defined]
    "Checkpoint": Checkpoint.__table__,  # type: ignore[attr-defined]
    "JobLogLine": JobLogLine.__table__,  # type: ignore[attr-defined]
    "AuditEntry": AuditEntry.__table__,  # type: ignore[attr-defined]
    **measurements.TABLES,
}
"""Table of each type."""
PIPELINE, ELEMENT, CHECKPOINT = (TABLES[name].c for name in ("Pipeline", "PipelineElement", "Checkpoint"))
MOST: Any = bindparam("most", type_=Integer)
AFTER: Any = bindparam("after_line", type_=Integer)
LAST: Any = bindparam("last_line", type_=Integer)
LIMIT: Any = bindparam("limit_", type_=Integer)
ENDED = {status.name for status in PipelineStatus if status.is_terminal}
ELEMENT_ENDED = {status.name for status in PipelineElementStatus if status.is_terminal}


def column(column: Any) -> FieldReader:
    return lambda rows, details: rows.column(column)


def is_terminal(rows: RowBuilder, details: FieldDetailsList) -> Any:
    return rows.is_among(PIPELINE.status, ENDED)


def options(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return rows.object("PipelineOptions", details)


def rerun_of(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    # Its subquery has the pipelines' table too, so that nested in a query of that table it would find all pipelines.
    return ChildRows(
        rows,
        PIPELINE.rerun_of,
        partial(repository.pipelines_query, CALLER),
        PIPELINE.id,
        lambda each: each.object("Pipeline", details),
        lambda run: {},
    ).first(rows)


def elements(rows: RowBuilder, details: FieldDetailsList) -> Any:
    if details[0].node.arguments:
        return chosen_elements(rows, details)

    def query(id: Any) -> Any:
        return repository.elements_of_query(CALLER, id)

    made = listed(
        rows, PIPELINE.id, query, ELEMENT.element_order, lambda texts: texts.object("PipelineElement", details)
    )
    return elements_where(rows, details).all(rows) if made is None else made


def elements_where(
    rows: RowBuilder,
    details: FieldDetailsList,
    *clauses: Any,
    more: Callable[[Run], dict[str, Any]] | None = None,
) -> ChildRows:
    return ChildRows(
        rows,
        PIPELINE.id,
        lambda ids: repository.elements_query(CALLER, ids).where(*clauses),
        ELEMENT.pipeline_id,
        lambda elements: elements.object("PipelineElement", details),
        more,
    )


def chosen_elements(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    """Plan the elements that arguments select. Each argument is a list as one parameter, and whether it is null."""
    arguments, sql = rows.compiling.selections.converted_arguments("Pipeline", details), rows.compiling.sql
    columns = {"names": ELEMENT.name, "types": ELEMENT.element_type, "statuses": ELEMENT.status}
    clauses = [
        or_(bindparam(f"all_{name}", type_=Boolean), cast(column, Text).in_(select(sql.ids(name))))
        for name, column in columns.items()
    ]

    def chosen(run: Run) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for name, values in ChosenElements.of(**arguments(run.values))._asdict().items():
            parameters[f"all_{name}"] = values is None
            parameters[name] = sql.encode_ids([getattr(each, "name", each) for each in values or ()])
        return parameters

    return elements_where(rows, details, *clauses, more=chosen).all(rows)


def pipeline_of(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return ChildRows(
        rows,
        ELEMENT.pipeline_id,
        partial(repository.pipelines_query, CALLER),
        PIPELINE.id,
        lambda each: each.object("Pipeline", details),
    ).first(rows)


def progress(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    """Plan the progress in two statements: counts need only the statuses of elements."""
    query = partial(repository.elements_query, CALLER)
    counted = ChildRows(rows, PIPELINE.id, query, ELEMENT.pipeline_id, lambda each: each.stored(ELEMENT.status))
    fields = rows.compiling.selections.fields("PipelineProgress", details)
    return dictionary({key: PROGRESS[name_of(each)](rows, each, counted) for key, each in fields.items()})


PROGRESS: dict[str, Callable[[RowBuilder, FieldDetailsList, ChildRows], ast.expr]] = {
    "finished": lambda rows, details, counted: rows.call(_finished, counted.all(rows)),
    "total": lambda rows, details, counted: rows.call(len, counted.all(rows)),
    "current": lambda rows, details, counted: elements_where(
        rows, details, ELEMENT.status == PipelineElementStatus.RUNNING
    ).first(rows),
    "__typename": lambda rows, details, counted: ast.Constant("PipelineProgress"),
}


def _finished(statuses: list[str]) -> int:
    return sum(map(ELEMENT_ENDED.__contains__, statuses))


def job(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return rows.unless_null(ELEMENT.job_id, rows.object("Job", details))


def element(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return rows.object("PipelineElement", details)


def job_status(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return rows.column_or(ELEMENT.job_status, JobStatus.PENDING.name)


def newest_checkpoint(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    # Its subquery has the elements' table too, so that nested in a query of that table it would find all elements.
    return ChildRows(
        rows,
        ELEMENT.id,
        partial(repository.newest_checkpoints_query, CALLER),
        CHECKPOINT.element_id,
        lambda each: each.object("Checkpoint", details),
        lambda run: {},
    ).first(rows)


def trace(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    arguments = rows.compiling.selections.arguments("Job", details)
    return ChildRows(
        rows,
        ELEMENT.id,
        lambda ids: repository.traces_query(CALLER, ids, MOST).limit(LIMIT),
        CHECKPOINT.element_id,
        lambda each: each.object("Checkpoint", details),
        lambda run: {MOST.key: repository.checked_points(arguments(run.values)["maxPoints"])},
        LIMIT,
    ).all(rows)


def log(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    arguments = rows.compiling.selections.arguments("Job", details)

    def bounds(run: Run) -> dict[str, Any]:
        given = arguments(run.values)
        after, last = repository.checked_lines(given["after"], given["maxLines"])
        return {AFTER.key: after, LAST.key: last}

    return ChildRows(
        rows,
        ELEMENT.id,
        lambda ids: repository.log_query(CALLER, ids, AFTER, LAST).limit(LIMIT),
        TABLES["JobLogLine"].c.element_id,
        lambda each: each.object("JobLogLine", details),
        bounds,
        LIMIT,
    ).all(rows)


FIELDS: dict[str, dict[str, FieldReader]] = {
    "Pipeline": {
        "labels": column(PIPELINE.labels),
        "isTerminal": is_terminal,
        "options": options,
        "elements": elements,
        "progress": progress,
        "rerunOf": rerun_of,
        "project": lambda rows, details: project(rows, details, PIPELINE.project_id),
        "queuePosition": computed("Pipeline", PIPELINE.id, PIPELINE.status, PIPELINE.worker_id),
        "parameterSet": computed("Pipeline", PIPELINE.id, PIPELINE.name),
        "can": lambda rows, details: can(rows, details, PIPELINE.status),
        **results.PIPELINE_FIELDS,
    },
    "PipelineElement": {
        "pipeline": pipeline_of,
        "jobConfig": column(ELEMENT.job_config),
        "result": column(ELEMENT.result),
        "errorDetail": column(ELEMENT.error_detail),
        **results.ELEMENT_FIELDS,
        "series": computed("PipelineElement", ELEMENT.id),
        "history": computed("PipelineElement", ELEMENT.id),
        "job": job,
    },
    "Job": {
        "id": column(ELEMENT.job_id),
        "element": element,
        "status": job_status,
        "attempt": column(ELEMENT.attempt),
        "startedAt": column(ELEMENT.started_at),
        "finishedAt": column(ELEMENT.finished_at),
        "error": column(ELEMENT.error),
        "errorCode": column(ELEMENT.error_code),
        "progress": newest_checkpoint,
        "trace": trace,
        "log": log,
    },
    "Checkpoint": {"parameters": column(CHECKPOINT.parameters)},
    **measurements.FIELDS,
}
"""Fields with resolvers."""


def field_of(type_name: str, name: str) -> FieldReader:
    """Return how plans read a field. Raises Unplanned."""
    if name == "__typename":
        return lambda rows, details: rows.name(type_name)
    found = FIELDS.get(type_name, {}).get(name) or _plain_column(type_name, name)
    if found is None:
        raise Unplanned
    return found


def _plain_column(type_name: str, name: str) -> FieldReader | None:
    kind = graphql_schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    field = field_definition(kind.fields[name])
    columns = TABLES[type_name].columns if type_name in TABLES else {}
    found = None if field.base_resolver is not None else columns.get(field.python_name)
    return None if found is None else column(found)
