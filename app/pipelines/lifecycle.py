"""Lifecycle of a run: start, cancel and fail, each a compare-and-set of the status. A started pipeline is in the queue
of its organization until a worker claims it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import uuid_utils

from app.auth.caller import Caller
from app.database import changes, telemetry
from app.database.audit import audit, audit_all
from app.database.changes import Snapshot
from app.database.interface import Database
from app.database.writes.mutations import LONG, Batchable, Memory, Steps
from app.database.writes.statements import IDS, PAIRS
from app.errors import Problem, ProblemCode, Rejected
from app.models.enums import AuditAction, ElementType, JobErrorCode, PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.service import next_timestamp, seconds_between
from app.pipelines.transactions import statements
from app.pipelines.transactions.each import change_each
from app.pipelines.transactions.rows import invalid_state, loaded, lock_pipeline, set_columns


class QueueLimits(NamedTuple):
    """Maximum number of queued pipelines of an organization, and of each of its API keys; None is no limit."""

    organization: int
    key: int | None = None


class _Queue(NamedTuple):
    """Queued pipelines that count towards a limit: of an organization, or of an API key."""

    whose: str
    most: int
    setting: str
    organization_id: str
    key: str | None = None

    @property
    def count_queued(self) -> tuple[Any, dict[str, Any]]:
        """Statement that counts them."""
        theirs = {"organization": self.organization_id, "most": self.most}
        if self.setting == "VOLTGRAPH_MAX_QUEUED":
            return statements.QUEUED_OF_ORGANIZATION, theirs
        return statements.QUEUED_OF_KEY, {**theirs, "its_key": self.key}


def _queues(limits: QueueLimits, caller: Caller) -> Iterator[_Queue]:
    """Return the queues that take the starts of a caller."""
    organization, (most, most_of_key) = caller.organization_id, limits
    yield _Queue("organization", most, "VOLTGRAPH_MAX_QUEUED", organization)
    if most_of_key is not None:
        yield _Queue("API key", most_of_key, "VOLTGRAPH_MAX_QUEUED_PER_KEY", organization, caller.key)


async def start(
    database: Database, limits: QueueLimits, caller: Caller, id: str, request_id: str | None = None
) -> Pipeline:
    """Start a pipeline: it is queued until a worker claims it, and its run logs `request_id`. Raises NOT_FOUND;
    INVALID_STATE for a terminal one; QUEUE_FULL."""

    with telemetry.enqueue_span(id):
        return await database.mutate(Batchable(start_each, (limits, caller), (id, request_id)))


def start_each(
    limits: QueueLimits, caller: Caller, starts: Sequence[tuple[str, str | None]]
) -> Steps[list[Pipeline | Rejected]]:
    """Start pipelines, given by their ids and the ids of their requests; they are queued in their order."""
    start = Start(limits, caller)
    outcomes = yield from change_each(caller, [(id, partial(start.admit, request_id)) for id, request_id in starts])
    yield from start.write()
    return outcomes


class Start:
    """Starts of one transaction, which count the queue once and are written together."""

    def __init__(self, limits: QueueLimits, caller: Caller, request_id: str | None = None) -> None:
        """Create the starts of a transaction; `request_id` is the request of those that `begin` starts."""
        self._caller, self._request_id = caller, request_id
        self._queues = tuple(_queues(limits, caller))
        self._admitted: list[tuple[Pipeline, Snapshot]] = []
        """Pipelines whose start is not written yet, and their snapshots before it."""
        self._last = datetime.min.replace(tzinfo=UTC)

    def admit(self, request_id: str | None, pipeline: Pipeline) -> Steps[Pipeline]:
        """Start a locked pipeline in memory; `write` writes it. A running one is returned unchanged. Raises
        INVALID_STATE and QUEUE_FULL."""
        if pipeline.status is PipelineStatus.RUNNING:
            return pipeline
        if pipeline.is_terminal:
            raise invalid_state(pipeline, "duplicate it to run it again")
        yield from self.reserve("id")
        self._admit(pipeline, request_id)
        return pipeline

    def reserve(self, field: str) -> Steps[None]:
        """Take a place in the queue. Raises QUEUE_FULL, with the path of a field, if the organization or the API key
        has as many queued pipelines as it may. Several processes that start pipelines at the same moment may exceed a
        limit by their number. Only starts take places, beside the writes that end the lasting memory: the least number
        of places left is known without a count, which takes long for a long queue."""
        left: dict[_Queue, int] = yield Memory.MEMORY
        least: dict[_Queue, int] = yield Memory.LASTING
        for queue in self._queues:
            if least.get(queue, 0) > 0:
                continue
            if queue not in left:
                [[queued]] = yield queue.count_queued
                left[queue] = queue.most - queued - len(self._admitted)
            least[queue] = left[queue]
            if left[queue] <= 0:
                raise _queue_full(queue, field)
        for queue in self._queues:
            least[queue] -= 1
            if queue in left:
                left[queue] -= 1

    def begin(self, pipeline: Pipeline) -> Steps[None]:
        """Start a locked pipeline whose place was reserved."""
        self._admit(pipeline, self._request_id)
        yield from self.write()

    def _admit(self, pipeline: Pipeline, request_id: str | None) -> None:
        """Mark a pipeline running in memory, later than those before it, which is the order of the queue."""
        self._admitted.append((pipeline, changes.take_snapshot(pipeline)))
        at = self._last = max(next_timestamp(pipeline.updated_at), self._last + timedelta(microseconds=1))
        began = {"status": PipelineStatus.RUNNING, "started_at": at, "updated_at": at}
        vars(pipeline).update(began, started_by=self._caller.key, request_id=request_id)

    def write(self) -> Steps[None]:
        """Write the admitted starts, which puts them into the queue, and give each element a job."""
        admitted, self._admitted = self._admitted, []
        if not admitted:
            return
        starts = {each.id: statements.start_text(each.updated_at, each.request_id) for each, _ in admitted}
        elements = yield statements.elements_of_many, {IDS: list(starts)}
        yield statements.start_pipelines, {PAIRS: starts, "new_started_by": self._caller.key}
        yield statements.give_jobs, {PAIRS: {id: str(uuid_utils.uuid7()) for _, id, _ in elements}}
        types: dict[str, set[ElementType]] = {id: set() for id in starts}
        for pipeline_id, _, kind in elements:
            types[pipeline_id].add(kind)
        for pipeline, before in admitted:
            kinds = frozenset(types[pipeline.id])
            states = changes.take_snapshot(before, kinds), changes.take_snapshot(pipeline, kinds)
            yield changes.Change(pipeline.organization_id, pipeline.id, *states)
        yield from audit_all(self._caller, AuditAction.STARTED, [pipeline for pipeline, _ in admitted])


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
    await database.mutate(partial(fail_run, id, attempt, code, message), LONG)


def fail_run(id: str, attempt: int, code: JobErrorCode, message: str) -> Steps[None]:
    """Fail a running pipeline, unless another worker took it."""
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


def _queue_full(queue: _Queue, field: str) -> Rejected:
    message = (
        f"The {queue.whose} has {queue.most:,} queued pipelines, its maximum ({queue.setting}). Start this one when "
        "some have begun to run, or cancel some."
    )
    return Rejected(Problem(ProblemCode.QUEUE_FULL, message, (field,)))
