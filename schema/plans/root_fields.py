"""Plans of the root fields of Query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, bindparam

from app.database.interface import Steps
from app.models.enums import PipelineStatus
from app.pipelines import repository
from app.pipelines.lists import pagination
from schema.plans import page_statements
from schema.plans.child_rows import read_children
from schema.plans.connection import ConnectionPlan
from schema.plans.json_sql import whole
from schema.plans.measurements.fields import MODELS, query_of
from schema.plans.row_builder import CompileContext, RowBuilder, Run
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import CALLER
from schema.types.query import plain

Root = Callable[[Run], Steps[Any]]
ID: Any = bindparam("id")


class ObjectPlan:
    """Plan of one object, found by id."""

    def __init__(
        self, compiling: CompileContext, type_name: str, query: Select[Any], details: FieldDetailsList
    ) -> None:
        self._rows = RowBuilder(compiling, one=True)
        text = whole(compiling, type_name, details)
        made = self._rows.object(type_name, details) if text is None else self._rows.json(text)
        self._build = self._rows.builder(made)
        self._statement = self._rows.select(query)

    def find(self, run: Run, id: str) -> Steps[Any]:
        rows = yield self._statement({"organization_id": run.caller.organization_id, "id": id})
        if not rows:
            return None
        self._rows.check(rows, run)
        if self._rows.children:
            yield from read_children(self._rows, rows, run)
        return self._build(run)(rows)[0]


def by_id(type_name: str, query: Select[Any]) -> Callable[[CompileContext, FieldDetailsList], Root]:
    """Return the planner of a root field that finds one object by its id."""

    def plan(compiling: CompileContext, details: FieldDetailsList) -> Root:
        arguments = compiling.selections.arguments("Query", details)
        one = ObjectPlan(compiling, type_name, query, details)
        return lambda run: one.find(run, arguments(run.values)["id"])

    return plan


def node(compiling: CompileContext, details: FieldDetailsList) -> Root:
    """Plan `node`: search the tables in the resolver's order."""
    arguments = compiling.selections.arguments("Query", details)
    places = (
        ObjectPlan(compiling, "Pipeline", repository.pipeline_query(CALLER, ID), details),
        ObjectPlan(compiling, "PipelineElement", repository.element_query(CALLER, id=ID), details),
        ObjectPlan(compiling, "Job", repository.element_query(CALLER, job_id=ID), details),
        *(ObjectPlan(compiling, name, query_of(name, ID), details) for name in MODELS),
    )

    def steps(run: Run) -> Steps[Any]:
        id = arguments(run.values)["id"]
        for place in places:
            found = yield from place.find(run, id)
            if found is not None:
                return found
        return None

    return steps


def pipeline_counts(compiling: CompileContext, details: FieldDetailsList) -> Root:
    arguments = compiling.selections.converted_arguments("Query", details)
    fields = compiling.selections.fields("StatusCount", details)
    compiling.statements += 1
    makers = {key: STATUS_COUNT[name_of(each)] for key, each in fields.items()}

    def steps(run: Run) -> Steps[Any]:
        predicates = plain(**arguments(run.values)).predicates
        statement = page_statements.counts(compiling.dialect, page_statements.shape_of(predicates))
        operands = page_statements.operands_of(predicates)
        rows = yield statement(page_statements.parameters(organization_id=run.caller.organization_id, **operands))
        found = pagination.by_status((PipelineStatus[name], count) for name, count in rows)
        return [{key: make(*each) for key, make in makers.items()} for each in found.items()]

    return steps


STATUS_COUNT: dict[str, Callable[[PipelineStatus, int], Any]] = {
    "status": lambda status, count: status.name,
    "count": lambda status, count: count,
    "__typename": lambda status, count: "StatusCount",
}


def viewer(compiling: CompileContext, details: FieldDetailsList) -> Root:
    fields = compiling.selections.fields("Viewer", details)
    names = {key: VIEWER[name_of(each)] for key, each in fields.items()}

    def steps(run: Run) -> Steps[Any]:
        return {key: name(run.caller) for key, name in names.items()}
        yield

    return steps


VIEWER: dict[str, Callable[[Any], Any]] = {
    "userId": lambda caller: caller.user_id,
    "email": lambda caller: caller.email,
    "organizationId": lambda caller: caller.organization_id,
    "__typename": lambda caller: "Viewer",
}


def typename(compiling: CompileContext, details: FieldDetailsList) -> Root:
    def steps(run: Run) -> Steps[Any]:
        return "Query"
        yield

    return steps


ROOTS: dict[str, Callable[[CompileContext, FieldDetailsList], Root]] = {
    "pipeline": by_id("Pipeline", repository.pipeline_query(CALLER, ID)),
    "measurement": by_id("Measurement", query_of("Measurement", ID)),
    "cellInstance": by_id("CellInstance", query_of("CellInstance", ID)),
    "cellSpecification": by_id("CellSpecification", query_of("CellSpecification", ID)),
    "pipelines": ConnectionPlan,
    "pipelineCounts": pipeline_counts,
    "node": node,
    "viewer": viewer,
    "__typename": typename,
}


def root(compiling: CompileContext, details: FieldDetailsList) -> Root:
    """Return the plan of a root field. Raises Unplanned."""
    name = name_of(details)
    if name not in ROOTS:
        raise Unplanned
    return ROOTS[name](compiling, details)
