"""Lease on a running pipeline; its attempt number is the fencing token of every write of a run.

A worker that takes a pipeline increments its attempt number. If the pipeline is canceled, or another worker takes it,
the lease is lost and no further write of the first worker is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Delete, delete, insert
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import changes
from app.database.interface import Database
from app.errors import VoltgraphError
from app.execution.executor import JobFailed, Progress
from app.execution.job_log import Line
from app.models.columns import now
from app.models.enums import JobStatus, PipelineElementStatus, PipelineStatus, SeriesSource
from app.models.tables import Checkpoint, JobLogLine, Pipeline, PipelineElement, SeriesChannel
from app.pipelines.lifecycle import end_run, load_elements, lock_row
from app.pipelines.service import next_timestamp


class LeaseLost(VoltgraphError):
    """The pipeline was canceled, or another worker took it."""


class Lease:
    """Lease: the right to run a pipeline. Every write raises LeaseLost once the lease is lost."""

    def __init__(
        self,
        database: Database,
        pipeline_id: str,
        attempt: int,
        live_progress_updates: bool | None,
        request_id: str | None = None,
    ) -> None:
        self._database = database
        self.pipeline_id, self.attempt = pipeline_id, attempt
        self.live_progress_updates, self.request_id = live_progress_updates, request_id

    @classmethod
    async def take(cls, database: Database, pipeline_id: str, worker_id: str) -> Lease | None:
        """Take the lease on a running pipeline, which ends the lease of another worker. Return None if the pipeline
        does not run."""

        async def work(session: AsyncSession) -> Lease | None:
            pipeline = await lock_row(session, pipeline_id)
            if pipeline is None or pipeline.status is not PipelineStatus.RUNNING:
                return None
            pipeline.attempt += 1
            pipeline.worker_id = worker_id
            return cls(database, pipeline_id, pipeline.attempt, pipeline.live_progress_updates, pipeline.request_id)

        return await database.write(work)

    async def lasts(self) -> bool:
        """Return whether the lease is still valid."""
        query = select(Pipeline.id).where(
            col(Pipeline.id) == self.pipeline_id,
            col(Pipeline.attempt) == self.attempt,
            col(Pipeline.status) == PipelineStatus.RUNNING,
        )
        async with self._database.read() as session:
            return (await session.exec(query)).first() is not None

    async def elements(self) -> list[PipelineElement]:
        """Return all elements of the pipeline with their configurations and results, in execution order."""
        async with self._database.read() as session:
            return await load_elements(session, self.pipeline_id, whole=True)

    async def begin(self, element_id: str) -> None:
        """Mark the start of an element's job. A retry deletes the series of the attempt before."""

        def change(element: PipelineElement) -> None:
            element.status, element.job_status = PipelineElementStatus.RUNNING, JobStatus.RUNNING
            element.attempt += 1
            element.started_at = element.started_at or now()

        await self._change(element_id, change, delete(SeriesChannel).where(col(SeriesChannel.element_id) == element_id))

    async def keep_series(self, element_id: str, number: int, received: dict[str, Any]) -> None:
        """Store a series of a job in a transaction of its own: all series of a job can be a gigabyte, and no other
        writer should wait for that."""
        series = {"element_id": element_id, "objective": received["objective"], "series_number": number}
        source = SeriesSource[received["source"]]
        channels = enumerate(zip(received["channels"], received["samples"], strict=True))
        rows = [{**series, "source": source, "position": i, "name": n, "samples": s} for i, (n, s) in channels]

        async def work(session: AsyncSession) -> None:
            await self._pipeline(session)
            await session.exec(insert(SeriesChannel), params=rows)

        await self._database.write(work)

    async def complete_element(self, element_id: str, result: dict[str, Any]) -> None:
        """Mark an element completed, with its result."""

        def change(element: PipelineElement) -> None:
            element.status, element.job_status = PipelineElementStatus.COMPLETED, JobStatus.COMPLETED
            element.result = orjson.dumps(result).decode()
            element.finished_at = now()

        await self._change(element_id, change)

    async def fail(self, failures: dict[str, JobFailed]) -> None:
        """Mark elements failed, by id. The pipeline fails with the first failure, and elements that have not run are
        skipped."""

        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            failed = [each for each in await load_elements(session, self.pipeline_id) if each.id in failures]
            for element in failed:
                _fail(element, failures[element.id])
            pipeline.error = f"{failed[0].name}: {failed[0].error}"
            pipeline.error_code = failed[0].error_code
            await end_run(session, pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED)

        await self._database.write(work)

    async def complete(self) -> None:
        """Mark the pipeline completed."""

        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            await end_run(session, pipeline, PipelineStatus.COMPLETED, PipelineElementStatus.SKIPPED)

        await self._database.write(work)

    async def keep(self, element_id: str, progress: Progress) -> None:
        """Store a checkpoint of a job."""

        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            last = select(func.max(Checkpoint.number)).where(col(Checkpoint.element_id) == element_id)
            number = ((await session.exec(last)).one() or 0) + 1
            session.add(_checkpoint(element_id, number, progress))
            await _touch(session, pipeline)

        await self._database.write(work)

    async def keep_log(self, element_id: str, lines: Sequence[Line]) -> None:
        """Store lines of the log of a job, numbered after those before."""

        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            last = select(func.max(JobLogLine.number)).where(col(JobLogLine.element_id) == element_id)
            first = ((await session.exec(last)).one() or 0) + 1
            attempt = select(PipelineElement.attempt).where(col(PipelineElement.id) == element_id)
            shared = {"element_id": element_id, "attempt": (await session.exec(attempt)).one()}
            rows = [{**shared, "number": number, **line._asdict()} for number, line in enumerate(lines, first)]
            await session.exec(insert(JobLogLine), params=rows)
            await _touch(session, pipeline)

        await self._database.write(work)

    async def _change(
        self, element_id: str, change: Callable[[PipelineElement], None], first: Delete | None = None
    ) -> None:
        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            if first is not None:
                await session.exec(first)
            element = await session.get_one(PipelineElement, element_id)
            change(element)
            element.updated_at = now()
            await _touch(session, pipeline)

        await self._database.write(work)

    async def _pipeline(self, session: AsyncSession) -> Pipeline:
        pipeline = await lock_row(session, self.pipeline_id)
        if pipeline is None or pipeline.status is not PipelineStatus.RUNNING or pipeline.attempt != self.attempt:
            raise LeaseLost(self.pipeline_id)
        return pipeline


def _fail(element: PipelineElement, failure: JobFailed) -> None:
    element.status, element.job_status = PipelineElementStatus.FAILED, JobStatus.FAILED
    element.error, element.error_code = failure.message, failure.code
    element.error_detail = orjson.dumps(failure.detail).decode() if failure.detail else None
    element.finished_at = element.updated_at = now()


def _checkpoint(element_id: str, number: int, progress: Progress) -> Checkpoint:
    return Checkpoint(
        element_id=element_id,
        number=number,
        at=now(),
        iteration=progress.iteration,
        cost=progress.cost,
        best_cost=progress.best_cost,
        parameters=orjson.dumps(progress.parameters).decode(),
    )


async def _touch(session: AsyncSession, pipeline: Pipeline) -> None:
    """Move the pipeline's `updated_at` forward and record the change: subscribers compare `updated_at`."""
    before = changes.take_snapshot(pipeline)
    pipeline.updated_at = next_timestamp(pipeline.updated_at)
    await changes.record_change(session, pipeline, before)
