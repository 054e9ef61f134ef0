"""The life of a run, as the tables know it: start, cancel, and what a worker writes on the way.

A worker that takes a pipeline up gets an attempt number, and every write of its run carries it. A run that was canceled
or taken over by another worker is `Overtaken`: none of its writes lands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import uuid_utils
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app import events
from app.callers import Caller
from app.columns import now
from app.database import Database
from app.errors import VoltgraphError
from app.execution.executor import JobFailed, Progress
from app.models import (
    Checkpoint,
    JobErrorCode,
    JobStatus,
    Pipeline,
    PipelineElement,
    PipelineElementStatus,
    PipelineStatus,
)
from app.pipelines import invalid_state, later, locked
from app.reading import WITHOUT_LARGE

T = TypeVar("T")
UNFINISHED = (PipelineElementStatus.PENDING, PipelineElementStatus.RUNNING)


class Overtaken(VoltgraphError):
    """The run was canceled, or another worker has it now."""


@dataclass(frozen=True, slots=True)
class Run:
    """A worker's hold on a pipeline."""

    pipeline_id: str
    attempt: int
    live_progress_updates: bool | None


async def start(database: Database, caller: Caller, id: str) -> tuple[Pipeline, bool]:
    """The pipeline, running, and whether this call started it. NOT_FOUND; INVALID_STATE for a terminal one."""

    async def work(session: AsyncSession) -> tuple[Pipeline, bool]:
        pipeline = await locked(session, caller, id)
        if pipeline.status is PipelineStatus.RUNNING:
            return pipeline, False
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "duplicate it to run it again")
        before = events.snapshot(pipeline)
        pipeline.status = PipelineStatus.RUNNING
        pipeline.started_at = pipeline.updated_at = later(pipeline.updated_at)
        for element in await _elements(session, id):
            element.job_id, element.job_status = str(uuid_utils.uuid7()), JobStatus.PENDING
            element.updated_at = pipeline.updated_at
        await events.changed(session, pipeline, before)
        return pipeline, True

    return await database.write(work)


async def cancel(database: Database, caller: Caller, id: str) -> Pipeline:
    """The pipeline, canceled with all that is unfinished in it. NOT_FOUND; INVALID_STATE when it ended otherwise."""

    async def work(session: AsyncSession) -> Pipeline:
        pipeline = await locked(session, caller, id)
        if pipeline.status is PipelineStatus.CANCELED:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "only what has not ended can be canceled")
        await _end(session, pipeline, PipelineStatus.CANCELED, PipelineElementStatus.CANCELED)
        return pipeline

    return await database.write(work)


async def fail(database: Database, id: str, code: JobErrorCode, message: str) -> None:
    """End a running pipeline that no worker will end."""

    async def work(session: AsyncSession) -> None:
        pipeline = await _row(session, id)
        if pipeline is not None and pipeline.status is PipelineStatus.RUNNING:
            pipeline.error, pipeline.error_code = message, code
            await _end(session, pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED)

    await database.write(work)


async def claim(database: Database, id: str, worker_id: str) -> Run | None:
    """A hold on a running pipeline; whoever had one before is overtaken. None when there is nothing to run."""

    async def work(session: AsyncSession) -> Run | None:
        pipeline = await _row(session, id)
        if pipeline is None or pipeline.status is not PipelineStatus.RUNNING:
            return None
        pipeline.attempt += 1
        pipeline.worker_id = worker_id
        return Run(id, pipeline.attempt, pipeline.live_progress_updates)

    return await database.write(work)


async def is_held(database: Database, run: Run) -> bool:
    """Whether a run may still write."""
    query = select(Pipeline.id).where(
        col(Pipeline.id) == run.pipeline_id,
        col(Pipeline.attempt) == run.attempt,
        col(Pipeline.status) == PipelineStatus.RUNNING,
    )
    async with database.read() as session:
        return (await session.exec(query)).first() is not None


async def elements(database: Database, run: Run) -> list[PipelineElement]:
    """All elements of the run's pipeline, whole, in execution order."""
    async with database.read() as session:
        return await _elements(session, run.pipeline_id, whole=True)


async def begin(database: Database, run: Run, element_id: str) -> None:
    """An element's job begins, once more where it had begun before."""

    async def work(pipeline: Pipeline, element: PipelineElement) -> None:
        element.status, element.job_status = PipelineElementStatus.RUNNING, JobStatus.RUNNING
        element.attempt += 1
        element.started_at = element.started_at or now()

    await _on_element(database, run, element_id, work)


async def complete_element(database: Database, run: Run, element_id: str, result: dict[str, Any]) -> None:
    """An element's job is done."""

    async def work(pipeline: Pipeline, element: PipelineElement) -> None:
        element.status, element.job_status = PipelineElementStatus.COMPLETED, JobStatus.COMPLETED
        element.result = orjson.dumps(result).decode()
        element.finished_at = now()

    await _on_element(database, run, element_id, work)


async def fail_elements(database: Database, run: Run, failures: dict[str, JobFailed]) -> None:
    """Jobs failed, by element id: the pipeline fails with the first of them, and what has not run is skipped."""

    async def work(session: AsyncSession) -> None:
        pipeline = await _held(session, run)
        for element in await _elements(session, run.pipeline_id):
            failure = failures.get(element.id)
            if failure is None:
                continue
            element.status, element.job_status = PipelineElementStatus.FAILED, JobStatus.FAILED
            element.error, element.error_code = failure.message, failure.code
            element.error_detail = orjson.dumps(failure.detail).decode() if failure.detail else None
            element.finished_at = element.updated_at = now()
            if pipeline.error_code is None:
                pipeline.error, pipeline.error_code = f"{element.name}: {failure.message}", failure.code
        await _end(session, pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED)

    await database.write(work)


async def complete(database: Database, run: Run) -> None:
    """Every element is done."""

    async def work(session: AsyncSession) -> None:
        pipeline = await _held(session, run)
        await _end(session, pipeline, PipelineStatus.COMPLETED, PipelineElementStatus.SKIPPED)

    await database.write(work)


async def checkpoint(database: Database, run: Run, element_id: str, progress: Progress) -> None:
    """Keep how far a job is."""

    async def work(session: AsyncSession) -> None:
        pipeline = await _held(session, run)
        last = select(func.max(Checkpoint.number)).where(col(Checkpoint.element_id) == element_id)
        session.add(
            Checkpoint(
                element_id=element_id,
                number=((await session.exec(last)).one() or 0) + 1,
                at=now(),
                iteration=progress.iteration,
                cost=progress.cost,
                best_cost=progress.best_cost,
                parameters=orjson.dumps(progress.parameters).decode(),
            )
        )
        await _touch(session, pipeline)

    await database.write(work)


async def _on_element(
    database: Database,
    run: Run,
    element_id: str,
    change: Callable[[Pipeline, PipelineElement], Awaitable[None]],
) -> None:
    async def work(session: AsyncSession) -> None:
        pipeline = await _held(session, run)
        element = await session.get_one(PipelineElement, element_id)
        await change(pipeline, element)
        element.updated_at = now()
        await _touch(session, pipeline)

    await database.write(work)


async def _row(session: AsyncSession, id: str) -> Pipeline | None:
    return (await session.exec(select(Pipeline).where(col(Pipeline.id) == id).with_for_update())).first()


async def _held(session: AsyncSession, run: Run) -> Pipeline:
    pipeline = await _row(session, run.pipeline_id)
    if pipeline is None or pipeline.status is not PipelineStatus.RUNNING or pipeline.attempt != run.attempt:
        raise Overtaken(run.pipeline_id)
    return pipeline


async def _elements(session: AsyncSession, pipeline_id: str, *, whole: bool = False) -> list[PipelineElement]:
    query = select(PipelineElement).where(col(PipelineElement.pipeline_id) == pipeline_id)
    query = query.order_by(col(PipelineElement.element_order))
    return list(await session.exec(query if whole else query.options(*WITHOUT_LARGE)))


async def _touch(session: AsyncSession, pipeline: Pipeline) -> None:
    """Tell that something of the pipeline changed: what watches it compares `updated_at`."""
    pipeline.updated_at = later(pipeline.updated_at)
    await events.changed(session, pipeline)


async def _end(session: AsyncSession, pipeline: Pipeline, status: PipelineStatus, rest: PipelineElementStatus) -> None:
    """The pipeline becomes terminal; what is unfinished in it gets the status `rest`."""
    before = events.snapshot(pipeline)
    pipeline.status = status
    pipeline.finished_at = pipeline.updated_at = later(pipeline.updated_at)
    unfinished = (
        update(PipelineElement)
        .where(col(PipelineElement.pipeline_id) == pipeline.id, col(PipelineElement.status).in_(UNFINISHED))
        .values(status=rest, updated_at=pipeline.updated_at)
    )
    await session.flush()
    jobs = unfinished.where(col(PipelineElement.job_id).is_not(None))
    await session.exec(jobs.values(job_status=JobStatus.CANCELED, finished_at=pipeline.updated_at))
    await session.exec(unfinished)
    await events.changed(session, pipeline, before)
