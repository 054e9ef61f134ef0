"""Repository: selects and reads by id, limited to the rows of the caller."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Select, and_
from sqlalchemy.orm import aliased, defer
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.auth.caller import Caller
from app.database.interface import Database
from app.database.writes.statements import IDS
from app.errors import RequestError, RequestErrorCode
from app.models.columns import Instant, now
from app.models.sql import sql_of
from app.models.tables import AT_WORK, QUEUED, Checkpoint, JobLogLine, Pipeline, PipelineElement
from app.pipelines.access import may_see, visible_elements, visible_pipelines
from app.pipelines.budget import LOADED, PARSED, Budget, size_of
from app.pipelines.results.failures import ConfigurationProblem, problems
from app.pipelines.results.parsed import ParsedResult, ResultParser
from app.pipelines.transactions.rows import loaded, read_rows
from app.pipelines.transactions.statements import find_many

MAX_TRACE, DEFAULT_TRACE = 5000, 500
"""Maximum and default number of checkpoints of a trace."""
MAX_LINES, DEFAULT_LINES = 5000, 500
"""Maximum and default number of lines that are read of a log."""
LAST_LINE = 2**31 - 1
"""Largest number of a line."""
FEW = 4
"""Number of pipelines up to which their elements are read without counting them first."""
LARGE = ("job_config", "result", "error_detail")
"""JSON columns of an element, read only if selected."""
WITHOUT_LARGE = tuple(defer(getattr(PipelineElement, name), raiseload=True) for name in LARGE)


Elements = SelectOfScalar[PipelineElement]
Checkpoints = SelectOfScalar[Checkpoint]
Ids = Sequence[str] | Select[tuple[str]]
"""Ids, or a query for ids. They and the caller may be parameters of a prepared statement."""


def pipeline_query(caller: Caller, id: str) -> SelectOfScalar[Pipeline]:
    return select(Pipeline).where(visible_pipelines(caller), col(Pipeline.id) == id)


def element_query(caller: Caller, *, id: str | None = None, job_id: str | None = None) -> Elements:
    """Select the element with an id or a job id."""
    which = col(PipelineElement.id) == id if job_id is None else col(PipelineElement.job_id) == job_id
    return select(PipelineElement).where(visible_elements(caller), which)


def pipelines_query(caller: Caller, ids: Ids) -> SelectOfScalar[Pipeline]:
    """Select pipelines by id."""
    return select(Pipeline).where(visible_pipelines(caller, by_id=True), col(Pipeline.id).in_(ids))


def elements_by_id_query(caller: Caller, ids: Ids) -> Elements:
    return select(PipelineElement).where(visible_elements(caller), col(PipelineElement.id).in_(ids))


def elements_of_jobs_query(caller: Caller, job_ids: Ids) -> Elements:
    return select(PipelineElement).where(visible_elements(caller), col(PipelineElement.job_id).in_(job_ids))


def elements_query(caller: Caller, pipeline_ids: Ids) -> Elements:
    """Select the elements of pipelines, in execution order within each."""
    return (
        select(PipelineElement)
        .where(visible_elements(caller), col(PipelineElement.pipeline_id).in_(pipeline_ids))
        .order_by(col(PipelineElement.pipeline_id), col(PipelineElement.element_order))
    )


def elements_of_query(caller: Caller, pipeline_id: Any) -> Elements:
    """Select the elements of one pipeline, in execution order."""
    return (
        select(PipelineElement)
        .where(visible_elements(caller), col(PipelineElement.pipeline_id) == pipeline_id)
        .order_by(col(PipelineElement.element_order))
    )


def newest_checkpoints_query(caller: Caller, element_ids: Ids) -> Checkpoints:
    """Select the newest checkpoint of each element."""
    newest = _newest(caller, element_ids).subquery()
    return select(Checkpoint).join(
        newest,
        and_(col(Checkpoint.element_id) == newest.c.element_id, col(Checkpoint.number) == newest.c.number),
    )


def traces_query(caller: Caller, element_ids: Ids, most: int) -> Checkpoints:
    """Select the checkpoints of elements, oldest first: every nth, so that at most `most` of an element remain, the
    newest included."""
    # Materialised because it is used several times, and so that SQLite has no other start for its query plan.
    newest = _newest(caller, element_ids).cte("newest").prefix_with("MATERIALIZED")
    step = (newest.c.number + (most - 1)) // most
    # Each checkpoint is looked up by its number: a scan takes time proportional to the length of the trace.
    back = select(sa.literal(0).label("steps")).cte("back", recursive=True)
    back = back.union_all(select(back.c.steps + 1).where(back.c.steps + 1 < most))
    number = newest.c.number - back.c.steps * step
    return (
        select(Checkpoint)
        .select_from(newest)
        .join(back, back.c.steps * step < newest.c.number)
        .join(Checkpoint, and_(col(Checkpoint.element_id) == newest.c.element_id, col(Checkpoint.number) == number))
        .order_by(col(Checkpoint.element_id), col(Checkpoint.number))
    )


def log_query(caller: Caller, element_ids: Ids, after: Any, last: Any) -> SelectOfScalar[JobLogLine]:
    """Select lines of the logs of elements by their numbers, which have no gaps."""
    return (
        select(JobLogLine)
        .join(PipelineElement, col(PipelineElement.id) == col(JobLogLine.element_id))
        .where(visible_elements(caller), col(JobLogLine.element_id).in_(element_ids))
        .where(col(JobLogLine.number) > after, col(JobLogLine.number) <= last)
        .order_by(col(JobLogLine.element_id), col(JobLogLine.number))
    )


def _newest(caller: Caller, element_ids: Ids) -> Any:
    """Return the number of each element's newest checkpoint, from the end of the primary key's index: GROUP BY would
    read all checkpoints. The number is NULL without a checkpoint, and then joins with no row."""
    newest = aliased(Checkpoint)
    number = select(func.max(newest.number)).where(col(newest.element_id) == col(PipelineElement.id)).scalar_subquery()
    return select(col(PipelineElement.id).label("element_id"), number.label("number")).where(
        visible_elements(caller), col(PipelineElement.id).in_(element_ids)
    )


async def pipeline(database: Database, caller: Caller, id: str) -> Pipeline | None:
    async with database.read() as session:
        return (await session.exec(pipeline_query(caller, id))).first()


async def pipelines(database: Database, caller: Caller, ids: Sequence[str]) -> dict[str, Pipeline]:
    """Load pipelines by id; missing ones are left out."""
    rows = await read_rows(database, find_many, {"organization": caller.organization_id, IDS: list(ids)})
    return {each.id: each for each in map(loaded, rows) if may_see(caller, each.organization_id, each.project_id)}


async def pipelines_of(
    database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget
) -> list[Pipeline | None]:
    """Load pipelines by id; None for those that the caller may not see."""
    budget.take_work(LOADED * len(ids))
    found = await pipelines(database, caller, list(dict.fromkeys(ids)))
    return [found.get(id) for id in ids]


async def elements(database: Database, caller: Caller, ids: Sequence[str]) -> dict[str, PipelineElement]:
    """Load elements by id without their large columns; missing ones are left out."""
    return {row.id: row for row in await _elements(database, elements_by_id_query(caller, ids))}


async def elements_of_jobs(database: Database, caller: Caller, job_ids: Sequence[str]) -> dict[str, PipelineElement]:
    """Load elements by the ids of their jobs; missing ones are left out."""
    found = await _elements(database, elements_of_jobs_query(caller, job_ids))
    return {row.job_id: row for row in found if row.job_id is not None}


async def _elements(database: Database, query: Elements) -> list[PipelineElement]:
    async with database.read() as session:
        return list(await session.exec(query.options(*WITHOUT_LARGE)))


async def element(database: Database, caller: Caller, id: str, *, whole: bool = False) -> PipelineElement | None:
    """Load an element; its large columns only if `whole`."""
    return await _element(database, element_query(caller, id=id), whole=whole)


async def element_of_job(database: Database, caller: Caller, job_id: str) -> PipelineElement | None:
    """Load the element of a job."""
    return await _element(database, element_query(caller, job_id=job_id))


class AtWork(NamedTuple):
    """Pipelines of one organization that wait for a worker, or that one runs."""

    organization_id: str
    is_queued: bool
    pipelines: int
    oldest: float
    """Seconds since the start of the oldest."""


async def at_work(database: Database) -> list[AtWork]:
    """Count the running pipelines of all organizations."""
    is_queued = col(Pipeline.worker_id).is_(None)
    first = sa.type_coerce(func.min(Pipeline.started_at), Instant)
    columns: tuple[Any, ...] = (col(Pipeline.organization_id), is_queued, func.count(), first)
    query: Any = sa.select(*columns).where(AT_WORK).group_by(col(Pipeline.organization_id), is_queued)
    async with database.read() as session:
        rows, at = (await session.exec(query)).all(), now()
    return [
        AtWork(organization_id, bool(queued), count, 0.0 if start is None else max(0.0, (at - start).total_seconds()))
        for organization_id, queued, count, start in rows
    ]


async def queue_positions(
    database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget
) -> list[int | None]:
    """Load the position of each of the pipelines in its organization's queue, from 1; None unless it is queued. The
    whole queue is numbered in one scan of its index."""
    budget.take_work(LOADED * len(ids))
    position = func.row_number().over(order_by=(col(Pipeline.started_at), col(Pipeline.id))).label("position")
    theirs = col(Pipeline.organization_id) == caller.organization_id
    queue = sa.select(col(Pipeline.id).label("id"), position).where(QUEUED, theirs).subquery()
    asked: Any = sa.select(queue.c.id, queue.c.position).where(queue.c.id.in_(ids))
    async with database.read() as session:
        found: dict[str, int] = dict((await session.exec(asked)).all())
    return [found.get(id) for id in ids]


async def jobs(database: Database, caller: Caller, most: int, skip: int) -> list[PipelineElement]:
    """Load elements with a job, newest first."""
    query = select(PipelineElement).where(visible_elements(caller), col(PipelineElement.job_id).is_not(None))
    query = query.options(*WITHOUT_LARGE).order_by(col(PipelineElement.job_id).desc()).limit(most).offset(skip)
    async with database.read() as session:
        return list(await session.exec(query))


async def _element(database: Database, query: Elements, *, whole: bool = False) -> PipelineElement | None:
    async with database.read() as session:
        return (await session.exec(query if whole else query.options(*WITHOUT_LARGE))).first()


async def elements_of(
    database: Database, caller: Caller, pipeline_ids: Sequence[str], *, budget: Budget, whole: bool = False
) -> list[list[PipelineElement]]:
    """Load the elements of each of the pipelines, in execution order, with their large columns if `whole`. Raises
    AnswerTooLarge before the elements are read."""
    query = elements_query(caller, pipeline_ids)
    async with database.read() as session:
        sizes = [sum_of_bytes(database, getattr(PipelineElement, name)) for name in LARGE if whole]
        if sizes or len(pipeline_ids) > FEW:
            theirs = visible_elements(caller), col(PipelineElement.pipeline_id).in_(pipeline_ids)
            counted: Any = sa.select(func.count(), *sizes).select_from(PipelineElement).where(*theirs)
            [count, *counts] = (await session.exec(counted)).one()
            budget.take_work(LOADED * count)
            budget.take_bytes(sum(counts))
        rows = await session.exec(query if whole else query.options(*WITHOUT_LARGE))
        found = {id: list(group) for id, group in groupby(rows, lambda row: row.pipeline_id)}
    return [found.get(id, []) for id in pipeline_ids]


def sum_of_bytes(database: Database, column: Any) -> Any:
    """Return the total bytes of the values of a text or JSON column."""
    return func.coalesce(func.sum(sql_of(database.dialect).octets(column)), 0)


async def large_column(
    database: Database, caller: Caller, column: str, element_ids: Sequence[str], *, budget: Budget, weight: int = 1
) -> list[str | None]:
    """Load one of the LARGE columns of each of the elements, as JSON text. Raises AnswerTooLarge before the column is
    read if fewer bytes are left; each of its bytes needs `weight`. The caller counts the bytes that it returns."""
    read = getattr(PipelineElement, column)
    theirs = visible_elements(caller), col(PipelineElement.id).in_(element_ids)
    async with database.read() as session:
        size = (await session.exec(select(sum_of_bytes(database, read)).where(*theirs))).one()
        budget.require_bytes(weight * size)
        found = dict((await session.exec(select(PipelineElement.id, read).where(*theirs))).all())
    return [found.get(id) for id in element_ids]


async def parsed_results(
    database: Database, caller: Caller, parse: ResultParser, element_ids: Sequence[str], *, budget: Budget
) -> list[ParsedResult | None]:
    """Load and parse the result of each of the elements. An element that is named several times is parsed and counted
    once. Raises AnswerTooLarge before anything is parsed."""
    ids = list(dict.fromkeys(element_ids))
    texts = await large_column(database, caller, "result", ids, budget=budget, weight=PARSED)
    budget.take_bytes(PARSED * sum(map(size_of, texts)))
    found = dict(zip(ids, map(parse, texts), strict=True))
    return [found[id] for id in element_ids]


async def problems_of(
    database: Database, caller: Caller, element_ids: Sequence[str], *, budget: Budget
) -> list[list[ConfigurationProblem]]:
    """Load the problems of the configurations of each of the elements. Raises AnswerTooLarge before anything is
    parsed."""
    ids = list(dict.fromkeys(element_ids))
    details = await large_column(database, caller, "error_detail", ids, budget=budget, weight=PARSED)
    budget.take_bytes(PARSED * sum(map(size_of, details)))
    names = await _names(database, caller, ids)
    found = {id: problems([(names[id], text)]) if id in names else [] for id, text in zip(ids, details, strict=True)}
    return [found[id] for id in element_ids]


async def _names(database: Database, caller: Caller, element_ids: Sequence[str]) -> dict[str, str]:
    query = select(PipelineElement.id, PipelineElement.name)
    async with database.read() as session:
        return dict(
            (await session.exec(query.where(visible_elements(caller), col(PipelineElement.id).in_(element_ids)))).all()
        )


async def newest_checkpoints(
    database: Database, caller: Caller, element_ids: Sequence[str], *, budget: Budget
) -> list[Checkpoint | None]:
    """Load the newest checkpoint of each of the elements. Raises AnswerTooLarge."""
    query = newest_checkpoints_query(caller, element_ids)
    async with database.read() as session:
        found = {row.element_id: row for row in await session.exec(query)}
    budget.take_work(LOADED * len(found))
    return [found.get(id) for id in element_ids]


async def traces(
    database: Database, caller: Caller, most: int, element_ids: Sequence[str], *, budget: Budget
) -> list[list[Checkpoint]]:
    """Load the checkpoints of each of the elements, oldest first, downsampled to at most `most` including the newest.
    Raises BAD_USER_INPUT for a number out of range, and AnswerTooLarge."""
    query = traces_query(caller, element_ids, checked_points(most)).limit(budget.rows(LOADED) + 1)
    async with database.read() as session:
        rows = (await session.exec(query)).all()
    budget.take_work(LOADED * len(rows))
    found = {id: list(group) for id, group in groupby(rows, lambda row: row.element_id)}
    return [found.get(id, []) for id in element_ids]


def checked_points(most: int) -> int:
    """Validate the maximum points of a trace. Raises BAD_USER_INPUT for a number out of range."""
    if not 1 <= most <= MAX_TRACE:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`maxPoints` takes 1 to {MAX_TRACE}, not {most}.")
    return most


async def log_lines(
    database: Database, caller: Caller, after: int, most: int, element_ids: Sequence[str], *, budget: Budget
) -> list[list[JobLogLine]]:
    """Load lines of the log of each of the elements: at most `most` after the number `after`. Raises BAD_USER_INPUT for
    a number out of range, and AnswerTooLarge."""
    query = log_query(caller, element_ids, *checked_lines(after, most)).limit(budget.rows(LOADED) + 1)
    async with database.read() as session:
        rows = (await session.exec(query)).all()
    budget.take_work(LOADED * len(rows))
    budget.take_bytes(sum(size_of(row.text) for row in rows))
    found = {id: list(group) for id, group in groupby(rows, lambda row: row.element_id)}
    return [found.get(id, []) for id in element_ids]


def checked_lines(after: int, most: int) -> tuple[int, int]:
    """Validate the selection of lines of a log, and return the numbers before the first one and of the last one. Raises
    BAD_USER_INPUT for a number out of range."""
    if after < 0:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`after` takes 0 or the number of a line, not {after}.")
    if not 1 <= most <= MAX_LINES:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`maxLines` takes 1 to {MAX_LINES}, not {most}.")
    return after, min(after + most, LAST_LINE)
