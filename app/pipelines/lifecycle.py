"""Lifecycle of a run: start, cancel and fail, each a compare-and-set of the status. The tables change first, then the
queue."""

from __future__ import annotations

from typing import Protocol

import uuid_utils
from sqlalchemy import Delete, delete
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database import changes
from app.database.interface import Database
from app.errors import SubmissionFailed
from app.models.enums import JobErrorCode, JobStatus, PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement, SeriesChannel
from app.pipelines import repository
from app.pipelines.service import invalid_state, lock_pipeline, next_timestamp

UNFINISHED = (PipelineElementStatus.PENDING, PipelineElementStatus.RUNNING)


class Queue(Protocol):
    """The queue of runs, as start and cancel use it."""

    async def submit(self, pipeline_id: str) -> None:
        """Enqueue a pipeline. Raises SubmissionFailed."""

    async def cancel(self, pipeline_id: str) -> None:
        """Remove a pipeline from the queue."""


async def start(database: Database, queue: Queue, caller: Caller, id: str, request_id: str | None = None) -> Pipeline:
    """Start a pipeline. It is FAILED with SUBMISSION_FAILED if the queue cannot take it. Its run logs `request_id`.
    Raises NOT_FOUND; INVALID_STATE for a terminal one.

    A crash between the two steps loses nothing: a worker enqueues running pipelines that are not queued.
    """

    async def work(session: AsyncSession) -> tuple[Pipeline, bool]:
        pipeline = await lock_pipeline(session, caller, id)
        if pipeline.status is PipelineStatus.RUNNING:
            return pipeline, False
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "duplicate it to run it again")
        pipeline.request_id = request_id
        await _begin(session, pipeline)
        return pipeline, True

    pipeline, new = await database.write(work)
    if new:
        try:
            await queue.submit(id)
        except SubmissionFailed as failure:
            await fail(database, id, JobErrorCode.SUBMISSION_FAILED, str(failure))
    return await repository.pipeline(database, caller, id) or pipeline


async def cancel(database: Database, queue: Queue, caller: Caller, id: str) -> Pipeline:
    """Cancel a pipeline and its unfinished elements. Raises NOT_FOUND; INVALID_STATE if it ended otherwise."""

    async def work(session: AsyncSession) -> Pipeline:
        pipeline = await lock_pipeline(session, caller, id)
        if pipeline.status is PipelineStatus.CANCELED:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "only what has not ended can be canceled")
        await end_run(session, pipeline, PipelineStatus.CANCELED, PipelineElementStatus.CANCELED)
        return pipeline

    pipeline = await database.write(work)
    if pipeline.started_at is not None:
        await queue.cancel(id)
    return pipeline


async def fail(database: Database, id: str, code: JobErrorCode, message: str) -> None:
    """Fail a running pipeline that no worker will finish."""

    async def work(session: AsyncSession) -> None:
        pipeline = await lock_row(session, id)
        if pipeline is not None and pipeline.status is PipelineStatus.RUNNING:
            pipeline.error, pipeline.error_code = message, code
            await end_run(session, pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED)

    await database.write(work)


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


async def _begin(session: AsyncSession, pipeline: Pipeline) -> None:
    """Mark a pipeline running and give each element a job."""
    before = changes.take_snapshot(pipeline)
    pipeline.status = PipelineStatus.RUNNING
    pipeline.started_at = pipeline.updated_at = next_timestamp(pipeline.updated_at)
    for element in await load_elements(session, pipeline.id):
        element.job_id, element.job_status = str(uuid_utils.uuid7()), JobStatus.PENDING
        element.updated_at = pipeline.updated_at
    await changes.record_change(session, pipeline, before)
