"""How plans read each field. What a field without a resolver shows is the column of its name; all others have a line
here, or are left to the executor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

from graphql import GraphQLObjectType
from sqlalchemy import ColumnElement, Integer, bindparam, literal_column
from sqlmodel import col

from app import reading
from app.models import Checkpoint, JobStatus, Pipeline, PipelineElement, PipelineElementStatus, PipelineStatus
from schema import schema
from schema.plans.rows import Children, Field, Of, Rows, Run, Value
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import CALLER

TABLES: dict[str, Any] = {
    "Pipeline": Pipeline,
    "PipelineOptions": Pipeline,
    "PipelineElement": PipelineElement,
    "Job": PipelineElement,
    "Checkpoint": Checkpoint,
}
"""Whose rows each type is made of."""
ENDED = {status.name for status in PipelineStatus if status.is_terminal}
ELEMENT_ENDED = {status.name for status in PipelineElementStatus if status.is_terminal}


def column(column: Any) -> Field:
    """A column as it is."""
    return lambda rows, details: Value(col(column))


def same_row(type_name: str, unless_null: Any = None) -> Field:
    """An object made of the same row; null where a column is, if one is told."""

    def field(rows: Rows, details: FieldDetailsList) -> Value:
        found, place = rows.object(type_name, details), rows.add(col(unless_null or Pipeline.id))

        def of(run: Run) -> Of:
            build = found.bind(run)
            return lambda row: None if row[place] is None else build(row)

        return Value(NOTHING, of=of)

    return field


NOTHING: ColumnElement[Any] = literal_column("NULL")
"""In the place of a field that is made of other columns."""


def elements(rows: Rows, details: FieldDetailsList) -> Value:
    children = _elements(rows, details)
    return Value(NOTHING, of=children.all)


def _elements(rows: Rows, details: FieldDetailsList, *clauses: ColumnElement[bool]) -> Children:
    children = Children(rows, col(Pipeline.id))
    found = children.rows.object("PipelineElement", details)
    return children.reads(
        lambda ids: reading.elements_query(CALLER, ids).where(*clauses), col(PipelineElement.pipeline_id), found.bind
    )


def progress(rows: Rows, details: FieldDetailsList) -> Value:
    """Two statements, so that the one for the counts reads nothing but what it counts."""
    statuses, parts = _statuses(rows), {}
    for key, each in rows.compiling.selections.fields("PipelineProgress", details).items():
        if (name := name_of(each)) == "current":
            parts[key] = _elements(rows, each, col(PipelineElement.status) == PipelineElementStatus.RUNNING).first
        else:
            parts[key] = partial(_counted, statuses, COUNTS[name])

    def of(run: Run) -> Of:
        made = [(key, part(run)) for key, part in parts.items()]
        return lambda row: {key: make(row) for key, make in made}

    return Value(NOTHING, of=of)


COUNTS: dict[str, Callable[[list[str]], Any]] = {
    "finished": lambda statuses: sum(status in ELEMENT_ENDED for status in statuses),
    "total": len,
    "__typename": lambda statuses: "PipelineProgress",
}


def _statuses(rows: Rows) -> Children:
    children = Children(rows, col(Pipeline.id))
    place = children.rows.add(col(PipelineElement.status))
    query = partial(reading.elements_query, CALLER)
    return children.reads(query, col(PipelineElement.pipeline_id), lambda run: itemgetter(place))


def _counted(statuses: Children, count: Callable[[list[str]], Any], run: Run) -> Of:
    all_of = statuses.all(run)
    return lambda row: count(all_of(row))


def parameter_values(rows: Rows, details: FieldDetailsList) -> Value:
    place = rows.add(col(PipelineElement.result))
    arguments = rows.compiling.selections.arguments("PipelineElement", details)

    def of(run: Run) -> Of:
        names = arguments(run.values).get("names")
        return lambda row: reading.parameter_values(row[place], names)

    return Value(NOTHING, of=of)


def newest_checkpoint(rows: Rows, details: FieldDetailsList) -> Value:
    children = Children(rows, col(PipelineElement.id))
    found = children.rows.object("Checkpoint", details)
    children.reads(partial(reading.newest_checkpoints_query, CALLER), col(Checkpoint.element_id), found.bind)
    return Value(NOTHING, of=children.first)


def trace(rows: Rows, details: FieldDetailsList) -> Value:
    arguments = rows.compiling.selections.arguments("Job", details)
    children = Children(rows, col(PipelineElement.id))
    found = children.rows.object("Checkpoint", details)
    children.reads(
        lambda ids: reading.traces_query(CALLER, ids, MOST),
        col(Checkpoint.element_id),
        found.bind,
        lambda run: {MOST.key: reading.checked_points(arguments(run.values)["maxPoints"])},
    )
    return Value(NOTHING, of=children.all)


MOST: Any = bindparam("most", type_=Integer)

FIELDS: dict[str, dict[str, Field]] = {
    "Pipeline": {
        "isTerminal": lambda rows, details: Value(col(Pipeline.status), ENDED.__contains__),
        "options": same_row("PipelineOptions"),
        "elements": elements,
        "progress": progress,
    },
    "PipelineElement": {
        "jobConfig": column(PipelineElement.job_config),
        "result": column(PipelineElement.result),
        "errorDetail": column(PipelineElement.error_detail),
        "parameterValues": parameter_values,
        "job": same_row("Job", PipelineElement.job_id),
    },
    "Job": {
        "id": column(PipelineElement.job_id),
        "element": same_row("PipelineElement", PipelineElement.id),
        "status": lambda rows, details: Value(
            col(PipelineElement.job_status), lambda status: status or JobStatus.PENDING.name
        ),
        "attempt": column(PipelineElement.attempt),
        "startedAt": column(PipelineElement.started_at),
        "finishedAt": column(PipelineElement.finished_at),
        "error": column(PipelineElement.error),
        "errorCode": column(PipelineElement.error_code),
        "progress": newest_checkpoint,
        "trace": trace,
    },
    "Checkpoint": {"parameters": column(Checkpoint.parameters)},
}
"""The fields that have resolvers of their own."""


def field_of(type_name: str, name: str) -> Field:
    """How plans read a field. Unplanned when none does."""
    if name == "__typename":
        return lambda rows, details: Value(literal_column(f"'{type_name}'"))
    found = FIELDS.get(type_name, {}).get(name) or _plain_column(type_name, name)
    if found is None:
        raise Unplanned
    return found


def _plain_column(type_name: str, name: str) -> Field | None:
    kind = schema._schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name].extensions["strawberry-definition"]
    columns = TABLES[type_name].__table__.columns if type_name in TABLES else ()
    if field.base_resolver is not None or field.python_name not in columns:
        return None
    return column(getattr(TABLES[type_name], field.python_name))
