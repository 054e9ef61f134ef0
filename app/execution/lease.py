"""Lease on a running pipeline; its attempt number is the fencing token of every write of a run.

A worker that takes a pipeline increments its attempt number. If the pipeline is canceled, or another worker takes it,
the lease is lost and no further write of the first worker is stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy import select as select_columns
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel, func
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import changes
from app.database.interface import Database, ReadBudget, Steps
from app.database.writes.mutations import run_in
from app.errors import VoltgraphError
from app.execution.executor import JobFailed, Progress
from app.execution.streams.job_log import Line
from app.models.columns import now
from app.models.enums import ElementType, JobStatus, PipelineElementStatus, PipelineStatus, SeriesSource
from app.models.tables import Checkpoint, JobLogLine, Pipeline, PipelineElement, SeriesChannel
from app.pipelines.lifecycle import end_run, load_elements
from app.pipelines.service import next_timestamp, seconds_between

Change = Callable[[AsyncConnection, datetime], Awaitable[None]]
"""Changes of a transaction besides those of the pipeline's row, all at one time."""
SHORT = 2**18
"""Maximum characters of a result that is written in a short transaction."""
# Statements of the tables, built once: the ORM, and building a statement for each write, took most of the CPU time of a
# short run.
PIPELINE, ELEMENT, CHECKPOINT, SERIES = (
    SQLModel.metadata.tables[name] for name in ("pipeline", "pipeline_element", "checkpoint", "series_channel")
)
LOCK = (
    select_columns(PIPELINE.c.organization_id, PIPELINE.c.attempt, *(PIPELINE.c[name] for name in changes.COLUMNS))
    .where(PIPELINE.c.id == bindparam("pipeline"))
    .with_for_update()
)
VALID = select_columns(PIPELINE.c.attempt).where(
    PIPELINE.c.id == bindparam("pipeline"),
    PIPELINE.c.attempt == bindparam("its_attempt"),
    PIPELINE.c.status == bindparam("its_status"),
)
TOUCH = (
    update(PIPELINE)
    .where(PIPELINE.c.id == bindparam("pipeline"))
    .values(
        updated_at=bindparam("at"),
        status=bindparam("its_status"),
        finished_at=bindparam("ended"),
        duration=bindparam("seconds"),
    )
)
BEGIN = (
    update(ELEMENT)
    .where(ELEMENT.c.id == bindparam("element"))
    .values(
        status=PipelineElementStatus.RUNNING,
        job_status=JobStatus.RUNNING,
        attempt=ELEMENT.c.attempt + 1,
        started_at=func.coalesce(ELEMENT.c.started_at, bindparam("at", type_=ELEMENT.c.started_at.type)),
        updated_at=bindparam("at", type_=ELEMENT.c.started_at.type),
    )
    .returning(ELEMENT.c.attempt)
)
COMPLETE = (
    update(ELEMENT)
    .where(ELEMENT.c.id == bindparam("element"))
    .values(
        status=PipelineElementStatus.COMPLETED,
        job_status=JobStatus.COMPLETED,
        result=bindparam("its_result"),
        finished_at=bindparam("at"),
        updated_at=bindparam("at"),
    )
)
DELETE_SERIES = delete(SERIES).where(SERIES.c.element_id == bindparam("element"))
LINE = SQLModel.metadata.tables["job_log"]
LAST_LINE = select_columns(func.max(LINE.c.number)).where(LINE.c.element_id == bindparam("element"))
ATTEMPT = select_columns(ELEMENT.c.attempt).where(ELEMENT.c.id == bindparam("element"))
LAST_CHECKPOINT = select_columns(func.max(CHECKPOINT.c.number)).where(CHECKPOINT.c.element_id == bindparam("element"))


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
        self._types: frozenset[ElementType] | None = None
        """Element types of the pipeline, for change events."""

    async def lasts(self) -> bool:
        """Return whether the lease is still valid."""
        return await self._database.run(self._read_validity, ReadBudget(is_single=True))

    def _read_validity(self) -> Steps[bool]:
        """Read as plans do: a session that is canceled while it reads would lose its connection."""
        query = VALID.compile(dialect=self._database.dialect)
        values = {"pipeline": self.pipeline_id, "its_attempt": self.attempt, "its_status": PipelineStatus.RUNNING.name}
        rows = yield str(query), [values[name] for name in query.positiontup or ()]
        return bool(rows)

    async def elements(self) -> list[PipelineElement]:
        """Return all elements of the pipeline with their configurations and results, in execution order. Call it before
        the lease changes anything."""
        async with self._database.read() as session:
            found = await load_elements(session, self.pipeline_id, whole=True)
        self._types = frozenset(each.element_type for each in found)
        return found

    async def begin(self, element_id: str) -> None:
        """Mark the start of an element's job. A retry deletes the series of the attempt before."""

        async def change(connection: AsyncConnection, at: datetime) -> None:
            begun = await connection.execute(BEGIN, {"element": element_id, "at": at})
            if begun.scalar_one() > 1:
                await connection.execute(DELETE_SERIES, {"element": element_id})

        await self._change(change)

    async def keep_series(self, element_id: str, number: int, received: dict[str, Any]) -> None:
        """Store a series of a job in a transaction of its own: all series of a job can be a gigabyte, and no other
        writer should wait for that."""
        series = {"element_id": element_id, "objective": received["objective"], "series_number": number}
        source = SeriesSource[received["source"]]
        channels = enumerate(zip(received["channels"], received["samples"], strict=True))
        rows = [{**series, "source": source, "position": i, "name": n, "samples": s} for i, (n, s) in channels]

        async def work(session: AsyncSession) -> None:
            await self._lock(await session.connection())
            await session.exec(insert(SeriesChannel), params=rows)

        await self._database.write(work)

    async def complete_element(self, element_id: str, result: dict[str, Any], *, is_last: bool = False) -> None:
        """Mark an element completed, with its result; and the pipeline, if it is the last one."""
        text = orjson.dumps(result).decode()

        async def change(connection: AsyncConnection, at: datetime) -> None:
            await connection.execute(COMPLETE, {"element": element_id, "at": at, "its_result": text})

        status = PipelineStatus.COMPLETED if is_last else PipelineStatus.RUNNING
        await self._change(change, status, is_short=len(text) < SHORT)

    async def fail(self, failures: dict[str, JobFailed]) -> None:
        """Mark elements failed, by id. The pipeline fails with the first failure, and elements that have not run are
        skipped."""

        async def work(session: AsyncSession) -> None:
            pipeline = await self._pipeline(session)
            failed = [each for each in await load_elements(session, self.pipeline_id) if each.id in failures]
            for element in failed:
                _fail(element, failures[element.id])
            error, code = f"{failed[0].name}: {failed[0].error}", failed[0].error_code
            steps = end_run(pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED, code, error)
            await run_in(session, steps)

        await self._database.write(work, is_short=True)

    async def complete(self) -> None:
        """Mark the pipeline completed."""

        async def change(connection: AsyncConnection, at: datetime) -> None:
            """Change no element: all are completed."""

        await self._change(change, status=PipelineStatus.COMPLETED)

    async def keep(self, element_id: str, progress: Progress) -> None:
        """Store a checkpoint of a job."""
        values = {
            **{name: getattr(progress, name) for name in ("iteration", "cost", "best_cost")},
            "parameters": orjson.dumps(progress.parameters).decode(),
        }

        async def change(connection: AsyncConnection, at: datetime) -> None:
            last = (await connection.execute(LAST_CHECKPOINT, {"element": element_id})).scalar_one() or 0
            row = {"element_id": element_id, "number": last + 1, "at": at, **values}
            await connection.execute(insert(Checkpoint), row)

        await self._change(change)

    async def keep_log(self, element_id: str, lines: Sequence[Line]) -> None:
        """Store lines of the log of a job, numbered after those before."""

        async def change(connection: AsyncConnection, at: datetime) -> None:
            last = (await connection.execute(LAST_LINE, {"element": element_id})).scalar_one() or 0
            attempt = (await connection.execute(ATTEMPT, {"element": element_id})).scalar_one()
            shared = {"element_id": element_id, "attempt": attempt}
            rows = [{**shared, "number": number, **line._asdict()} for number, line in enumerate(lines, last + 1)]
            await connection.execute(insert(JobLogLine), rows)

        await self._change(change)

    async def _change(
        self, change: Change, status: PipelineStatus = PipelineStatus.RUNNING, *, is_short: bool = True
    ) -> None:
        """Change elements in a transaction, then the pipeline: its `updated_at` moves forward, because subscribers
        compare it."""

        async def work(session: AsyncSession) -> None:
            connection = await session.connection()
            row = await self._lock(connection, status)
            if row.status is not PipelineStatus.RUNNING:
                return
            at = next_timestamp(row.updated_at)
            await change(connection, at)
            finished_at = at if status.is_terminal else None
            duration = seconds_between(row.started_at, finished_at)
            values = {"pipeline": self.pipeline_id, "its_status": status, "at": at}
            values |= {"ended": finished_at, "seconds": duration}
            await connection.execute(TOUCH, values)
            before = changes.take_snapshot(row, self._types)
            after = replace(before, status=status, updated_at=at, finished_at=finished_at, duration=duration)
            await changes.record(session, changes.Change(row.organization_id, self.pipeline_id, before, after))

        await self._database.write(work, is_short=is_short)

    async def _lock(self, connection: AsyncConnection, status: PipelineStatus = PipelineStatus.RUNNING) -> Any:
        """Lock the pipeline's row and return it. Raises LeaseLost unless it runs, or has reached `status` by a commit
        whose acknowledgement was lost."""
        row = (await connection.execute(LOCK, {"pipeline": self.pipeline_id})).first()
        if row is None or row.status not in (PipelineStatus.RUNNING, status) or row.attempt != self.attempt:
            raise LeaseLost(self.pipeline_id)
        return row

    async def _pipeline(self, session: AsyncSession) -> Pipeline:
        await self._lock(await session.connection())
        return await session.get_one(Pipeline, self.pipeline_id)


def _fail(element: PipelineElement, failure: JobFailed) -> None:
    element.status, element.job_status = PipelineElementStatus.FAILED, JobStatus.FAILED
    element.error, element.error_code = failure.message, failure.code
    element.error_detail = orjson.dumps(failure.detail).decode() if failure.detail else None
    element.finished_at = element.updated_at = now()
