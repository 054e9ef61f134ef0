"""Lifecycle of a run: start, cancel and fail, each a compare-and-set of the status. A started pipeline is in the queue
of its organization until a worker claims it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import uuid_utils
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database import changes, telemetry
from app.database.audit import audit
from app.database.interface import Database
from app.database.writes.mutations import LONG, Steps
from app.errors import Problem, ProblemCode, Rejected
from app.models.enums import AuditAction, JobErrorCode, PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement
from app.pipelines import repository
from app.pipelines.service import invalid_state, next_timestamp, seconds_between
from app.pipelines.transactions import statements
from app.pipelines.transactions.rows import loaded, lock_pipeline, set_columns


class QueueLimits(NamedTuple):
    """Maximum number of queued pipelines of an organization, and of each of its API keys; None is no limit."""

    organization: int
    key: int | None = None


async def start(
    database: Database, limits: QueueLimits, caller: Caller, id: str, request_id: str | None = None
) -> Pipeline:
    """Start a pipeline: it is queued until a worker claims it, and its run logs `request_id`. Raises NOT_FOUND;
    INVALID_STATE for a terminal one; QUEUE_FULL."""

    with telemetry.enqueue_span(id):
        return await database.mutate(partial(_start, limits, caller, id, request_id))


def _start(limits: QueueLimits, caller: Caller, id: str, request_id: str | None) -> Steps[Pipeline]:
    pipeline = yield from lock_pipeline(caller, id)
    return (yield from Start(limits, caller, request_id).begin_pending(pipeline))


class Start:
    """Starts of one transaction, which count the queue once."""

    def __init__(self, limits: QueueLimits, caller: Caller, request_id: str | None = None) -> None:
        self._limits, self._caller, self._request_id = limits, caller, request_id
        self._left: dict[tuple[str, int, str], int] | None = None
        """Number of pipelines that may still be queued, by limit."""

    def begin_pending(self, pipeline: Pipeline) -> Steps[Pipeline]:
        """Start a locked pipeline; a running one is returned unchanged. Raises INVALID_STATE and QUEUE_FULL."""
        if pipeline.status is PipelineStatus.RUNNING:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "duplicate it to run it again")
        yield from self.reserve("id")
        yield from self.begin(pipeline)
        return pipeline

    def reserve(self, field: str) -> Steps[None]:
        """Take a place in the queue. Raises QUEUE_FULL, with the path of a field, if the organization or the API key
        has as many queued pipelines as it may. Several processes that start pipelines at the same moment may exceed a
        limit by their number."""
        left = self._left = (yield from self._read_left()) if self._left is None else self._left
        for limit, number in left.items():
            if number <= 0:
                raise _queue_full(*limit, field)
        self._left = {limit: number - 1 for limit, number in left.items()}

    def _read_left(self) -> Steps[dict[tuple[str, int, str], int]]:
        most, theirs = self._limits.organization, {"organization": self._caller.organization_id}
        [[queued]] = yield statements.QUEUED_OF_ORGANIZATION, {**theirs, "most": most}
        left = {("organization", most, "VOLTGRAPH_MAX_QUEUED"): most - queued}
        if (most_of_key := self._limits.key) is not None:
            by_key = {**theirs, "its_key": self._caller.key, "most": most_of_key}
            [[queued]] = yield statements.QUEUED_OF_KEY, by_key
            left["API key", most_of_key, "VOLTGRAPH_MAX_QUEUED_PER_KEY"] = most_of_key - queued
        return left

    def begin(self, pipeline: Pipeline) -> Steps[None]:
        """Mark a locked pipeline running, which puts it into the queue, and give each element a job."""
        at = next_timestamp(pipeline.updated_at)
        elements = yield statements.ELEMENTS, {"pipeline": pipeline.id}
        types = frozenset(kind for _, kind in elements)
        before = changes.take_snapshot(pipeline, types)
        began = {"status": PipelineStatus.RUNNING, "started_at": at, "updated_at": at}
        yield from set_columns(pipeline, began | {"started_by": self._caller.key, "request_id": self._request_id})
        yield statements.GIVE_JOB, [{"element": id, "job": str(uuid_utils.uuid7()), "at": at} for id, _ in elements]
        yield changes.Change(pipeline.organization_id, pipeline.id, before, changes.take_snapshot(pipeline, types))
        yield from audit(self._caller, AuditAction.STARTED, pipeline)


async def cancel(database: Database, caller: Caller, id: str) -> Pipeline:
    """Cancel a pipeline and its unfinished elements. Raises NOT_FOUND; INVALID_STATE if it ended otherwise."""

    return await database.mutate(partial(_cancel, caller, id), LONG)


def _cancel(caller: Caller, id: str) -> Steps[Pipeline]:
    return (yield from cancel_locked(caller, (yield from lock_pipeline(caller, id))))


def cancel_locked(caller: Caller, pipeline: Pipeline) -> Steps[Pipeline]:
    """Cancel a locked pipeline. Raises INVALID_STATE."""
    if pipeline.status is PipelineStatus.CANCELED:
        return pipeline
    if pipeline.is_terminal:
        raise invalid_state(pipeline, "only what has not ended can be canceled")
    yield from end_run(pipeline, PipelineStatus.CANCELED, PipelineElementStatus.CANCELED)
    yield from audit(caller, AuditAction.CANCELED, pipeline)
    return pipeline


async def fail(database: Database, id: str, attempt: int, code: JobErrorCode, message: str) -> None:
    """Fail a running pipeline that its worker cannot finish, unless another worker took it."""
    await database.mutate(partial(_fail, id, attempt, code, message), LONG)


def _fail(id: str, attempt: int, code: JobErrorCode, message: str) -> Steps[None]:
    for row in (yield statements.LOCK_OF_ANY, {"pipeline": id}):
        pipeline = loaded(row)
        if pipeline.status is PipelineStatus.RUNNING and pipeline.attempt == attempt:
            yield from end_run(pipeline, PipelineStatus.FAILED, PipelineElementStatus.SKIPPED, code, message)


def end_run(
    pipeline: Pipeline,
    status: PipelineStatus,
    rest: PipelineElementStatus,
    error_code: JobErrorCode | None = None,
    error: str | None = None,
) -> Steps[None]:
    """Make a locked pipeline terminal; its unfinished elements get the status `rest`."""
    before = changes.take_snapshot(pipeline)
    at = next_timestamp(pipeline.updated_at)
    cause = {} if error_code is None else {"error_code": error_code, "error": error}
    ended = {"finished_at": at, "updated_at": at, "duration": seconds_between(pipeline.started_at, at)}
    yield from set_columns(pipeline, {"status": status, **ended, **cause})
    yield statements.END_ELEMENTS, {"pipeline": pipeline.id, "rest": rest, "at": at}
    if pipeline.started_at is not None:
        yield statements.DELETE_SERIES, {"pipeline": pipeline.id}
    yield from changes.record_change(pipeline, before)


async def load_elements(session: AsyncSession, pipeline_id: str, *, whole: bool = False) -> list[PipelineElement]:
    """Load the elements of a pipeline, in execution order; their large columns only if `whole`."""
    query = select(PipelineElement).where(col(PipelineElement.pipeline_id) == pipeline_id)
    query = query.order_by(col(PipelineElement.element_order))
    return list(await session.exec(query if whole else query.options(*repository.WITHOUT_LARGE)))


def _queue_full(whose: str, most: int, setting: str, field: str) -> Rejected:
    message = (
        f"The {whose} has {most:,} queued pipelines, its maximum ({setting}). Start this one when some have begun to "
        "run, or cancel some."
    )
    return Rejected(Problem(ProblemCode.QUEUE_FULL, message, (field,)))
