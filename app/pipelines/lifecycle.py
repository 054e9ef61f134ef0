"""Lifecycle of a run: start, cancel and fail, each a compare-and-set of the status. A started pipeline is in the queue
of its organization until a worker claims it."""

from __future__ import annotations

from typing import Any, NamedTuple

import uuid_utils
from sqlalchemy import Delete, delete
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database import changes, telemetry
from app.database.interface import Database
from app.errors import Problem, ProblemCode, Rejected
from app.models.enums import JobErrorCode, JobStatus, PipelineElementStatus, PipelineStatus
from app.models.tables import QUEUED, Pipeline, PipelineElement, SeriesChannel
from app.pipelines import repository
from app.pipelines.service import invalid_state, lock_pipeline, next_timestamp

UNFINISHED = (PipelineElementStatus.PENDING, PipelineElementStatus.RUNNING)


class QueueLimits(NamedTuple):
    """Maximum number of queued pipelines of an organization, and of each of its API keys; None is no limit."""

    organization: int
    key: int | None = None


async def start(
    database: Database, limits: QueueLimits, caller: Caller, id: str, request_id: str | None = None
) -> Pipeline:
    """Start a pipeline: it is queued until a worker claims it, and its run logs `request_id`. Raises NOT_FOUND;
    INVALID_STATE for a terminal one; QUEUE_FULL."""

    async def work(session: AsyncSession) -> Pipeline:
        pipeline = await lock_pipeline(session, caller, id)
        if pipeline.status is PipelineStatus.RUNNING:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "duplicate it to run it again")
        await _require_room(session, limits, caller)
        pipeline.request_id = request_id
        await _begin(session, pipeline, caller)
        return pipeline

    with telemetry.enqueue_span(id):
        return await database.write(work, is_short=True)


async def require_room(database: Database, limits: QueueLimits, caller: Caller) -> None:
    """Raise QUEUE_FULL if the caller may not start another pipeline now."""
    async with database.read() as session:
        await _require_room(session, limits, caller)


async def cancel(database: Database, caller: Caller, id: str) -> Pipeline:
    """Cancel a pipeline and its unfinished elements. Raises NOT_FOUND; INVALID_STATE if it ended otherwise."""

    async def work(session: AsyncSession) -> Pipeline:
        pipeline = await lock_pipeline(session, caller, id)
        if pipeline.status is PipelineStatus.CANCELED:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "only what has not ended can be canceled")
        await end_run(session, pipeline, PipelineStatus.CANCELED, PipelineElementStatus.CANCELED)
        return pipeline

    return await database.write(work, is_short=True)


async def fail(database: Database, id: str, attempt: int, code: JobErrorCode, message: str) -> None:
    """Fail a running pipeline that its worker cannot finish, unless another worker took it."""

    async def work(session: AsyncSession) -> None:
        pipeline = await lock_row(session, id)
        if pipeline is not None and pipeline.status is PipelineStatus.RUNNING and pipeline.attempt == attempt:
            pipeline.error, pipeline.error_code = message, code
            await end_run(session, pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED)

    await database.write(work, is_short=True)


async def end_run(
    session: AsyncSession, pipeline: Pipeline, status: PipelineStatus, rest: PipelineElementStatus
) -> None:
    """Make a pipeline terminal; its unfinished elements get the status `rest`."""
    before = changes.take_snapshot(pipeline)
    pipeline.status = status
    pipeline.finished_at = pipeline.updated_at = next_timestamp(pipeline.updated_at)
    unfinished = (
        update(PipelineElement)
        .where(col(PipelineElement.pipeline_id) == pipeline.id, col(PipelineElement.status).in_(UNFINISHED))
        .values(status=rest, updated_at=pipeline.updated_at)
    )
    await session.flush()
    jobs = unfinished.where(col(PipelineElement.job_id).is_not(None))
    await session.exec(jobs.values(job_status=JobStatus.CANCELED, finished_at=pipeline.updated_at))
    await session.exec(unfinished)
    await session.exec(_series_of_none(pipeline.id))
    await changes.record_change(session, pipeline, before)


async def lock_row(session: AsyncSession, id: str) -> Pipeline | None:
    """Load a pipeline of any organization and lock its row until the transaction ends."""
    return (await session.exec(select(Pipeline).where(col(Pipeline.id) == id).with_for_update())).first()


async def load_elements(session: AsyncSession, pipeline_id: str, *, whole: bool = False) -> list[PipelineElement]:
    """Load the elements of a pipeline, in execution order; their large columns only if `whole`."""
    query = select(PipelineElement).where(col(PipelineElement.pipeline_id) == pipeline_id)
    query = query.order_by(col(PipelineElement.element_order))
    return list(await session.exec(query if whole else query.options(*repository.WITHOUT_LARGE)))


def _series_of_none(pipeline_id: str) -> Delete:
    """Delete the series of elements that did not complete."""
    incomplete = select(PipelineElement.id).where(
        col(PipelineElement.pipeline_id) == pipeline_id,
        col(PipelineElement.status) != PipelineElementStatus.COMPLETED,
    )
    return delete(SeriesChannel).where(col(SeriesChannel.element_id).in_(incomplete))


async def _require_room(session: AsyncSession, limits: QueueLimits, caller: Caller) -> None:
    """Raise QUEUE_FULL if the organization or the API key has as many queued pipelines as it may. Several processes
    that start pipelines at the same moment may exceed a limit by their number."""
    theirs = col(Pipeline.organization_id) == caller.organization_id
    if await _has_queued(session, limits.organization, theirs):
        raise _queue_full("organization", limits.organization, "VOLTGRAPH_MAX_QUEUED")
    if limits.key is not None:
        by_key = col(Pipeline.started_by) == caller.key
        if await _has_queued(session, limits.key, theirs, by_key):
            raise _queue_full("API key", limits.key, "VOLTGRAPH_MAX_QUEUED_PER_KEY")


async def _has_queued(session: AsyncSession, number: int, *whose: Any) -> bool:
    """Return whether at least a number of pipelines are queued, by the index of the queue, whose order it names: 10,000
    entries take 0.4 ms."""
    queue = select(Pipeline.id).where(QUEUED, *whose).order_by(col(Pipeline.started_at), col(Pipeline.id))
    return (await session.exec(queue.offset(number - 1).limit(1))).first() is not None


def _queue_full(whose: str, most: int, setting: str) -> Rejected:
    message = (
        f"The {whose} has {most:,} queued pipelines, its maximum ({setting}). Start this one when some have begun to "
        "run, or cancel some."
    )
    return Rejected(Problem(ProblemCode.QUEUE_FULL, message, ("id",)))


async def _begin(session: AsyncSession, pipeline: Pipeline, caller: Caller) -> None:
    """Mark a pipeline running, which puts it into the queue, and give each element a job."""
    before = changes.take_snapshot(pipeline)
    pipeline.status, pipeline.started_by = PipelineStatus.RUNNING, caller.key
    pipeline.started_at = pipeline.updated_at = next_timestamp(pipeline.updated_at)
    for element in await load_elements(session, pipeline.id):
        element.job_id, element.job_status = str(uuid_utils.uuid7()), JobStatus.PENDING
        element.updated_at = pipeline.updated_at
    await changes.record_change(session, pipeline, before)
