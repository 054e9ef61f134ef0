"""Lease on a running pipeline; its attempt number is the fencing token of every write of a run.

A worker that takes a pipeline increments its attempt number. If the pipeline is canceled, or another worker takes it,
the lease is lost and no further write of the first worker is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy import select as select_columns
from sqlmodel import SQLModel, func

from app.database import changes
from app.database.interface import Database
from app.database.writes.inserts import ROW
from app.database.writes.mutations import LONG, SHORT, Pace, Steps
from app.errors import VoltgraphError
from app.execution.executor import JobFailed, Progress
from app.execution.streams.job_log import Line
from app.models.columns import now
from app.models.enums import ElementType, JobStatus, PipelineElementStatus, PipelineStatus, SeriesSource
from app.models.tables import PipelineElement
from app.pipelines.lifecycle import fail_run
from app.pipelines.service import next_timestamp, seconds_between
from app.pipelines.transactions.rows import loaded_element, read_rows

Change = Callable[[datetime], Steps[None]]
"""Changes of a transaction besides those of the pipeline's row, all at one time."""
# Statements of the tables, built once.
PIPELINE, ELEMENT, CHECKPOINT, SERIES, LINE = (
    SQLModel.metadata.tables[name]
    for name in ("pipeline", "pipeline_element", "checkpoint", "series_channel", "job_log")
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
ELEMENTS = (
    select_columns(ELEMENT).where(ELEMENT.c.pipeline_id == bindparam("pipeline")).order_by(ELEMENT.c.element_order)
)
OF_ELEMENT = ELEMENT.c.id == bindparam("element")
BEGIN = (
    update(ELEMENT)
    .where(OF_ELEMENT)
    .values(
        status=PipelineElementStatus.RUNNING,
        job_status=JobStatus.RUNNING,
        attempt=ELEMENT.c.attempt + 1,
        started_at=func.coalesce(ELEMENT.c.started_at, bindparam("at", type_=ELEMENT.c.started_at.type)),
        updated_at=bindparam("at", type_=ELEMENT.c.started_at.type),
    )
    .returning(ELEMENT.c.attempt)
)


def _ending(status: PipelineElementStatus, job_status: JobStatus, **values: Any) -> Any:
    """Return the statement that ends an element."""
    at: Any = bindparam("at")
    ended = {"status": status, "job_status": job_status, "finished_at": at, "updated_at": at}
    return update(ELEMENT).where(OF_ELEMENT).values(**ended, **values)


COMPLETE = _ending(PipelineElementStatus.COMPLETED, JobStatus.COMPLETED, result=bindparam("its_result"))
FAIL = _ending(
    PipelineElementStatus.FAILED,
    JobStatus.FAILED,
    error=bindparam("its_error"),
    error_code=bindparam("its_code"),
    error_detail=bindparam("its_detail"),
)
NAMES = ELEMENTS.with_only_columns(ELEMENT.c.id, ELEMENT.c.name)
DELETE_SERIES = delete(SERIES).where(SERIES.c.element_id == bindparam("element"))
INSERT_SERIES, INSERT_CHECKPOINT, INSERT_LINE = map(insert, (SERIES, CHECKPOINT, LINE))
LAST_LINE = select_columns(func.max(LINE.c.number)).where(LINE.c.element_id == bindparam("element"))
ATTEMPT = select_columns(ELEMENT.c.attempt).where(OF_ELEMENT)
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
        values = {"its_attempt": self.attempt, "its_status": PipelineStatus.RUNNING}
        return bool(await read_rows(self._database, VALID, {"pipeline": self.pipeline_id, **values}))

    async def elements(self) -> list[PipelineElement]:
        """Return all elements of the pipeline with their configurations and results, in execution order. Call it before
        the lease changes anything."""
        rows = await read_rows(self._database, ELEMENTS, {"pipeline": self.pipeline_id})
        found = list(map(loaded_element, rows))
        self._types = frozenset(each.element_type for each in found)
        return found

    async def begin(self, element_id: str) -> None:
        """Mark the start of an element's job. A retry deletes the series of the attempt before."""

        def change(at: datetime) -> Steps[None]:
            [[attempt]] = yield BEGIN, {"element": element_id, "at": at}
            if attempt > 1:
                yield Pace.LONG
                yield DELETE_SERIES, {"element": element_id}

        await self._change(change)

    async def keep_series(self, element_id: str, number: int, received: dict[str, Any]) -> None:
        """Store a series of a job in a transaction of its own: all series of a job can be a gigabyte, and no other
        writer should wait for that."""
        series = {"element_id": element_id, "objective": received["objective"], "series_number": number}
        source = SeriesSource[received["source"]]
        channels = enumerate(zip(received["channels"], received["samples"], strict=True))
        rows = [{**series, "source": source, "position": i, "name": n, "samples": s} for i, (n, s) in channels]

        def work() -> Steps[None]:
            yield from self._lock()
            yield INSERT_SERIES, rows

        await self._database.mutate(work, SHORT + sum(len(each) for each in received["samples"]))

    async def complete_element(self, element_id: str, result: dict[str, Any], *, is_last: bool = False) -> None:
        """Mark an element completed, with its result; and the pipeline, if it is the last one."""
        text = orjson.dumps(result).decode()

        def change(at: datetime) -> Steps[None]:
            yield COMPLETE, {"element": element_id, "at": at, "its_result": text}

        status = PipelineStatus.COMPLETED if is_last else PipelineStatus.RUNNING
        await self._change(change, status, SHORT + len(text))

    async def fail(self, failures: dict[str, JobFailed]) -> None:
        """Mark elements failed, by id. The pipeline fails with the first failure, and elements that have not run are
        skipped."""
        await self._database.mutate(partial(self._fail, failures), LONG)

    def _fail(self, failures: dict[str, JobFailed]) -> Steps[None]:
        yield from self._lock()
        elements = yield NAMES, {"pipeline": self.pipeline_id}
        name, first = next((name, failures[id]) for id, name in elements if id in failures)
        at = now()
        for id, failure in failures.items():
            detail = orjson.dumps(failure.detail).decode() if failure.detail else None
            told = {"its_error": failure.message, "its_code": failure.code, "its_detail": detail}
            yield FAIL, {"element": id, "at": at, **told}
        yield from fail_run(self.pipeline_id, self.attempt, first.code, f"{name}: {first.message}")

    async def complete(self) -> None:
        """Mark the pipeline completed."""

        def change(_: datetime) -> Steps[None]:
            """Change no element: all are completed."""
            yield from ()

        await self._change(change, PipelineStatus.COMPLETED)

    async def keep(self, element_id: str, progress: Progress) -> None:
        """Store a checkpoint of a job."""
        values = {
            **{name: getattr(progress, name) for name in ("iteration", "cost", "best_cost")},
            "parameters": orjson.dumps(progress.parameters).decode(),
        }

        def change(at: datetime) -> Steps[None]:
            [[last]] = yield LAST_CHECKPOINT, {"element": element_id}
            yield INSERT_CHECKPOINT, {"element_id": element_id, "number": (last or 0) + 1, "at": at, **values}

        await self._change(change)

    async def keep_log(self, element_id: str, lines: Sequence[Line]) -> None:
        """Store lines of the log of a job, numbered after those before."""

        def change(at: datetime) -> Steps[None]:
            [[last]] = yield LAST_LINE, {"element": element_id}
            [[attempt]] = yield ATTEMPT, {"element": element_id}
            shared = {"element_id": element_id, "attempt": attempt}
            numbered = enumerate(lines, (last or 0) + 1)
            yield INSERT_LINE, [{**shared, "number": number, **line._asdict()} for number, line in numbered]

        await self._change(change, size=SHORT + sum(ROW + len(each.text) for each in lines))

    async def _change(self, change: Change, status: PipelineStatus = PipelineStatus.RUNNING, size: int = SHORT) -> None:
        """Change elements in a transaction, then the pipeline: its `updated_at` moves forward, because subscribers
        compare it."""
        await self._database.mutate(partial(self._changed, change, status), size)

    def _changed(self, change: Change, status: PipelineStatus) -> Steps[None]:
        organization_id, before = yield from self._lock(status)
        if before.status is not PipelineStatus.RUNNING:
            return
        at = next_timestamp(before.updated_at)
        yield from change(at)
        finished_at = at if status.is_terminal else None
        duration = seconds_between(before.started_at, finished_at)
        values = {"pipeline": self.pipeline_id, "its_status": status, "at": at}
        yield TOUCH, {**values, "ended": finished_at, "seconds": duration}
        after = replace(before, status=status, updated_at=at, finished_at=finished_at, duration=duration)
        yield changes.Change(organization_id, self.pipeline_id, before, after)

    def _lock(self, status: PipelineStatus = PipelineStatus.RUNNING) -> Steps[tuple[str, changes.Snapshot]]:
        """Lock the pipeline's row; return its organization and its state. Raises LeaseLost unless it runs, or has
        reached `status` by a commit whose acknowledgement was lost."""
        for row in (yield LOCK, {"pipeline": self.pipeline_id}):
            organization_id, attempt, *columns = row
            values: dict[str, Any] = dict(zip(changes.COLUMNS, columns, strict=True))
            state = changes.Snapshot(**values, element_types=self._types)
            if attempt == self.attempt and state.status in (PipelineStatus.RUNNING, status):
                return organization_id, state
        raise LeaseLost(self.pipeline_id)
