"""Plans of the account: the caller, its rate limit, its projects, and its actions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from app.database.interface import Steps
from app.models.enums import PipelineStatus
from app.pipelines.lists.pagination import by_status
from app.pipelines.overview import actions, projects
from schema.plans.child_rows import ChildRows, read_children
from schema.plans.encoding.codecs import converter
from schema.plans.row_builder import CompileContext, RowBuilder, dictionary
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import CALLER, Run

Root = Callable[[Run], Steps[Any]]
VIEWER: dict[str, Callable[[Any], Any]] = {
    "id": lambda caller: caller.id,
    "userId": lambda caller: caller.user_id,
    "email": lambda caller: caller.email,
    "organizationId": lambda caller: caller.organization_id,
    "canWrite": lambda caller: caller.may_write,
    "isAdmin": lambda caller: caller.may_manage_keys,
    "projectIds": lambda caller: None if caller.projects is None else sorted(caller.projects),
    "__typename": lambda caller: "Viewer",
}
RATE_LIMIT: dict[str, Callable[[Any], Any]] = {
    "cost": lambda charge: charge.cost,
    "maxCost": lambda charge: charge.max_cost,
    "limit": lambda charge: charge.limit,
    "remaining": lambda charge: charge.remaining,
    "__typename": lambda charge: "RateLimit",
}
STATUS_COUNT: dict[str, Callable[[PipelineStatus, int], Any]] = {
    "status": lambda status, count: status.name,
    "count": lambda status, count: count,
    "__typename": lambda status, count: "StatusCount",
}


def viewer(compiling: CompileContext, details: FieldDetailsList) -> Root:
    return _known(compiling, details, "Viewer", VIEWER, lambda run: run.caller)


def rate_limit(compiling: CompileContext, details: FieldDetailsList) -> Root:
    return _known(compiling, details, "RateLimit", RATE_LIMIT, lambda run: run.charge)


def _known(
    compiling: CompileContext,
    details: FieldDetailsList,
    type_name: str,
    values: dict[str, Callable[[Any], Any]],
    of: Callable[[Run], Any],
) -> Root:
    """Plan an object whose values need no database."""
    fields = compiling.selections.fields(type_name, details)
    makers = {key: values[name_of(each)] for key, each in fields.items()}

    def steps(run: Run) -> Steps[Any]:
        found = of(run)
        return {key: make(found) for key, make in makers.items()}
        yield

    return steps


class ProjectsPlan:
    """Plan of projects."""

    def __init__(self, compiling: CompileContext, details: FieldDetailsList, query: Any) -> None:
        self._rows = RowBuilder(compiling)
        self._build = self._rows.builder(project(self._rows, details, projects.PROJECT_ID, projects.UPDATED_AT))
        self._statement = self._rows.select(query)

    def read(self, run: Run, **parameters: Any) -> Steps[list[Any]]:
        rows = yield self._statement({"organization_id": run.caller.organization_id, **parameters})
        yield from read_children(self._rows, rows, run)
        return self._build(run)(rows)


def one_project(compiling: CompileContext, details: FieldDetailsList) -> Root:
    arguments = compiling.selections.arguments("Query", details)
    sql = compiling.sql
    plan = ProjectsPlan(compiling, details, projects.projects_query(CALLER, projects.given_ids(sql)))

    def steps(run: Run) -> Steps[Any]:
        found = yield from plan.read(run, **{projects.IDS: sql.encode_ids([arguments(run.values)["id"]])})
        return found[0] if found else None

    return steps


def newest_projects(compiling: CompileContext, details: FieldDetailsList) -> Root:
    arguments = compiling.selections.arguments("Query", details)
    plan = ProjectsPlan(compiling, details, projects.newest_projects_query(CALLER))
    return lambda run: plan.read(run, **{projects.LIMIT: projects.checked_number(arguments(run.values)["first"])})


def project(rows: RowBuilder, details: FieldDetailsList, id: Any, updated_at: Any = None) -> ast.expr:
    """Plan a project: `id` and `updated_at` are the columns of the rows, if they have the latter."""
    rows.stored(id)  # refused where the database encodes the rows
    fields = rows.compiling.selections.fields("Project", details)
    return dictionary({key: PROJECT[name_of(each)](rows, each, id, updated_at) for key, each in fields.items()})


def _counts(rows: RowBuilder, details: FieldDetailsList, id: Any, _: Any) -> ast.expr:
    counted = ChildRows(
        rows,
        id,
        partial(projects.counts_query, CALLER),
        projects.PROJECT,
        lambda each: ast.Tuple([each.stored(projects.STATUS), each.stored(projects.COUNT)], ast.Load()),
        lambda run: {},  # it is not nested in a statement of pipelines, whose table it has too
    )
    return rows.call(status_counts(rows.compiling, details), counted.all(rows))


def status_counts(
    compiling: CompileContext, details: FieldDetailsList
) -> Callable[[Iterable[tuple[str, int]]], list[dict[str, Any]]]:
    """Plan counts by status, from the rows of the statuses that have any."""
    fields = compiling.selections.fields("StatusCount", details)
    makers = {key: STATUS_COUNT[name_of(each)] for key, each in fields.items()}

    def made(rows: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
        found = by_status((PipelineStatus[name], count) for name, count in rows)
        return [{key: make(*each) for key, make in makers.items()} for each in found.items()]

    return made


def _updated_at(rows: RowBuilder, details: FieldDetailsList, id: Any, updated_at: Any) -> ast.expr:
    if updated_at is not None:
        return _instant(rows, updated_at)
    return ChildRows(
        rows,
        id,
        partial(projects.projects_query, CALLER),
        projects.PROJECT_ID,
        lambda each: _instant(each, projects.UPDATED_AT),
        lambda run: {},
    ).first(rows)


def _instant(rows: RowBuilder, column: Any) -> ast.expr:
    convert = converter(column.type, rows.compiling.dialect)
    return rows.stored(column) if convert is None else rows.call(convert, rows.stored(column))


PROJECT: dict[str, Callable[[RowBuilder, FieldDetailsList, Any, Any], ast.expr]] = {
    "id": lambda rows, details, id, updated_at: rows.stored(id),
    "counts": _counts,
    "updatedAt": _updated_at,
    "__typename": lambda rows, details, id, updated_at: ast.Constant("Project"),
}


def can(rows: RowBuilder, details: FieldDetailsList, status: Any) -> ast.expr:
    """Plan the actions that a caller may do: `status` is the column of the rows."""
    fields = rows.compiling.selections.fields("PipelineActions", details)
    stored, may_write = rows.stored(status), rows.value(lambda run: run.caller.may_write)
    return dictionary({key: _action(rows, name_of(each), stored, may_write) for key, each in fields.items()})


def _action(rows: RowBuilder, name: str, stored: ast.expr, may_write: ast.expr) -> ast.expr:
    if name == "__typename":
        return ast.Constant("PipelineActions")
    return ast.BoolOp(ast.And(), [may_write, rows.call(ACTIONS[name].__contains__, stored)])


ACTIONS = {name: frozenset(status.name for status in allowed) for name, allowed in actions.STATUSES.items()}
"""Names of the statuses in which each action is possible."""
