"""Plans of the root fields of Query."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Select, bindparam

from app.auth.caller import Caller
from app.database.interface import Steps, measured
from app.pipelines import repository
from app.pipelines.lists.probes import find_few
from app.pipelines.lists.server_probes import prober_of
from app.pipelines.repository import Ids
from schema.plans import connection, page_statements
from schema.plans.child_rows import read_children
from schema.plans.connection import ConnectionPlan
from schema.plans.encoding.json_sql import whole
from schema.plans.fields import ELEMENT, PIPELINE
from schema.plans.measurements.fields import MODELS, TABLES, queries_of, query_of
from schema.plans.readers.account import newest_projects, one_project, rate_limit, status_counts, viewer
from schema.plans.readers.computed import computed_root, system
from schema.plans.row_builder import CompileContext, RowBuilder
from schema.plans.selections import FieldDetailsList, Unplanned, name_of
from schema.plans.statements import CALLER, IDS, Run, given_ids
from schema.types.query import checked_ids, plain

Root = Callable[[Run], Steps[Any]]
ID: Any = bindparam("id")


class ObjectPlan:
    """Plan of one object, found by id."""

    def __init__(
        self, compiling: CompileContext, type_name: str, query: Select[Any], details: FieldDetailsList
    ) -> None:
        self._rows = RowBuilder(compiling, one=True)
        text = whole(compiling, type_name, details)
        self._is_text, self._is_limited = text is not None, compiling.sql.limits_values
        made = self._rows.object(type_name, details) if text is None else self._rows.json(text)
        self._build = self._rows.builder(made)
        self._statement = self._rows.select(query)

    def find(self, run: Run, id: str) -> Steps[Any]:
        rows = yield self._statement({"organization_id": run.caller.organization_id, "id": id})
        if not rows:
            return None
        if not (self._is_text and self._is_limited):
            self._rows.check(rows, run)
        if self._is_text:
            return orjson.Fragment(rows[0][0])
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


def nodes(compiling: CompileContext, details: FieldDetailsList) -> Root:
    """Plan `nodes`: each table once, for the ids that none before it has."""
    arguments = compiling.selections.arguments("Query", details)
    places = (
        ObjectsPlan(compiling, "Pipeline", repository.pipelines_query, PIPELINE.id, details),
        ObjectsPlan(compiling, "PipelineElement", repository.elements_by_id_query, ELEMENT.id, details),
        ObjectsPlan(compiling, "Job", repository.elements_of_jobs_query, ELEMENT.job_id, details),
        *(
            ObjectsPlan(compiling, name, partial(queries_of, name), table.c.id, details)
            for name, table in TABLES.items()
        ),
    )

    def steps(run: Run) -> Steps[Any]:
        ids: list[str] = [*checked_ids(arguments(run.values)["ids"])]
        found: dict[str, Any] = {}
        for place in places:
            if missing := [id for id in dict.fromkeys(ids) if id not in found]:
                found |= yield from place.find(run, missing)
        return [found.get(id) for id in ids]

    return steps


class ObjectsPlan:
    """Plan of objects of one type, found by their ids."""

    def __init__(
        self,
        compiling: CompileContext,
        type_name: str,
        query: Callable[[Caller, Ids], Select[Any]],
        id: Any,
        details: FieldDetailsList,
    ) -> None:
        self._rows = RowBuilder(compiling)
        self._id = self._rows.place(id)
        self._build = self._rows.builder(self._rows.object(type_name, details))
        self._given = given_ids(compiling.sql, one=False)
        self._statement = self._rows.select(query(CALLER, self._given.stands))

    def find(self, run: Run, ids: list[str]) -> Steps[dict[str, Any]]:
        statement = self._statement({"organization_id": run.caller.organization_id, IDS: self._given.given(ids)})
        rows = yield measured(statement, self._rows.measure(run))
        yield from read_children(self._rows, rows, run)
        return dict(zip([row[self._id] for row in rows], self._build(run)(rows), strict=True))


def pipeline_counts(compiling: CompileContext, details: FieldDetailsList) -> Root:
    arguments = compiling.selections.converted_arguments("Query", details)
    make = status_counts(compiling, details)
    compiling.statements += 1

    def steps(run: Run) -> Steps[Any]:
        filter = plain(run.caller, **arguments(run.values))
        operands = page_statements.operands_of(filter.conditions)
        given = page_statements.parameters(organization_id=run.caller.organization_id, **operands)
        probing = find_few(filter.conditions, "created_at", prober_of(compiling.dialect))
        path = yield from page_statements.find_path(probing, compiling.dialect, filter, given)
        shape = page_statements.shape_of(filter.conditions)
        statement = page_statements.counts(compiling.dialect, shape, path.is_few)
        rows = yield statement(given | {page_statements.NUMBERS: path.numbers})
        return make(rows)

    return steps


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
    "pipelines": partial(ConnectionPlan, connection.PIPELINES),
    "measurements": partial(ConnectionPlan, connection.MEASUREMENTS),
    "cellSpecifications": partial(ConnectionPlan, connection.CELL_SPECIFICATIONS),
    "cellInstances": partial(ConnectionPlan, connection.CELL_INSTANCES),
    "auditLog": partial(ConnectionPlan, connection.AUDIT_LOG),
    "pipelineCounts": pipeline_counts,
    "node": node,
    "nodes": nodes,
    "viewer": viewer,
    "rateLimit": rate_limit,
    "checkPipeline": computed_root,
    "apiKeys": computed_root,
    "system": system,
    "project": one_project,
    "projects": newest_projects,
    "__typename": typename,
}


def root(compiling: CompileContext, details: FieldDetailsList) -> Root:
    """Return the plan of a root field. Raises Unplanned."""
    name = name_of(details)
    if name not in ROOTS:
        raise Unplanned
    return ROOTS[name](compiling, details)
