"""Projects: their newest changes, and counts of their pipelines by status.

A project is a name that pipelines share: it exists while a pipeline has it. No table lists projects, so they are found
in the index of projects and changes: a step to the next project each, then one to its newest change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Select, func
from sqlmodel import col

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.models.columns import Binary, Instant
from app.models.enums import PipelineStatus
from app.models.sql import Sql, sql_of
from app.models.tables import Pipeline
from app.pipelines.access import visible_pipelines
from app.pipelines.budget import LOADED, Budget
from app.pipelines.repository import Ids

MAX_PROJECTS, DEFAULT_PROJECTS = 100, 20
PROJECT_ID: Any = sa.column("project_id", Binary())
UPDATED_AT: Any = sa.column("updated_at", Instant())
"""Columns of the queries of projects."""
PROJECT, STATUS = col(Pipeline.project_id), col(Pipeline.status)
COUNT: Any = func.count()
"""Columns of the query of counts."""
IDS, LIMIT = "ids", "limit_"
"""Parameters of the queries."""


class Project(NamedTuple):
    """A project that has pipelines."""

    id: str
    updated_at: datetime
    """The newest change of its pipelines."""


def projects_query(caller: Caller, ids: Ids) -> Select[Any]:
    """Select those of the projects that have pipelines which the caller may see, with their newest changes."""
    given = (
        ids.subquery()
        if isinstance(ids, Select)
        else sa.select(sa.type_coerce(ids[0], Binary()).label("id")).subquery()
    )
    return _with_changes(caller, given.c[0])


def newest_projects_query(caller: Caller) -> Select[Any]:
    """Select the projects of an organization, those that changed last first: at most LIMIT."""
    theirs = visible_pipelines(caller)
    steps = sa.select(func.min(col(Pipeline.project_id)).label("id")).where(theirs).cte("project", recursive=True)
    further = sa.select(func.min(col(Pipeline.project_id))).where(theirs, col(Pipeline.project_id) > steps.c.id)
    steps = steps.union_all(sa.select(further.correlate(steps).scalar_subquery()).where(steps.c.id.is_not(None)))
    return _newest_first(_with_changes(caller, steps.c.id))


def _newest_first(found: Select[Any]) -> Select[Any]:
    return found.order_by(UPDATED_AT.desc(), PROJECT_ID).limit(sa.bindparam(LIMIT, type_=sa.Integer))


def _with_changes(caller: Caller, id: Any) -> Select[Any]:
    """Select projects by id with the newest change of each, if any: one step in the index for each."""
    newest = sa.select(func.max(col(Pipeline.updated_at))).where(
        visible_pipelines(caller), col(Pipeline.project_id) == id
    )
    found = sa.select(id.label("project_id"), newest.scalar_subquery().label("updated_at")).subquery("projects")
    return sa.select(PROJECT_ID, UPDATED_AT).select_from(found).where(UPDATED_AT.is_not(None))


def counts_query(caller: Caller, ids: Ids) -> Select[Any]:
    """Count the pipelines of projects by status."""
    theirs = visible_pipelines(caller), PROJECT.in_(ids)
    return sa.select(PROJECT, STATUS, COUNT).where(*theirs).group_by(PROJECT, STATUS)


def given_ids(sql: Sql) -> Select[Any]:
    """Select the ids of the parameter IDS."""
    return sa.select(sql.ids(IDS))


def checked_number(first: int) -> int:
    """Validate a number of projects. Raises BAD_USER_INPUT for one out of range."""
    if not 1 <= first <= MAX_PROJECTS:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`first` takes 1 to {MAX_PROJECTS}, not {first}.")
    return first


async def newest(database: Database, caller: Caller, first: int) -> list[Project]:
    """Load the projects that the caller may see, those that changed last first. Raises BAD_USER_INPUT."""
    given: dict[str, Any] = {LIMIT: checked_number(first)}
    if caller.projects is None:
        query = newest_projects_query(caller)
    else:
        sql = sql_of(database.dialect)
        query = _newest_first(projects_query(caller, given_ids(sql)))
        given[IDS] = sql.encode_ids(sorted(caller.projects))
    return await _read(database, query, given)


async def by_id(database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget) -> list[Project | None]:
    """Load projects by id; None for those without pipelines that the caller may see."""
    budget.take_work(LOADED * len(ids))
    sql = sql_of(database.dialect)
    query = projects_query(caller, given_ids(sql))
    found = {each.id: each for each in await _read(database, query, {IDS: sql.encode_ids(list(dict.fromkeys(ids)))})}
    return [found.get(id) for id in ids]


async def counts(
    database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget
) -> list[dict[PipelineStatus, int]]:
    """Count the pipelines of each of the projects by status; zeros are left out."""
    budget.take_work(LOADED * len(ids))
    found: dict[str, dict[PipelineStatus, int]] = {}
    async with database.read() as session:
        rows: Any = await session.exec(counts_query(caller, list(dict.fromkeys(ids))))  # type: ignore[call-overload]
        for id, status, count in rows:
            found.setdefault(id, {})[status] = count
    return [found.get(id, {}) for id in ids]


async def _read(database: Database, query: Select[Any], parameters: dict[str, Any]) -> list[Project]:
    async with database.read() as session:
        rows: Any = await session.exec(query, params=parameters)  # type: ignore[call-overload]
        return [Project(*row) for row in rows]
