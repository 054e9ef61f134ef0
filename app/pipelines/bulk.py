"""Bulk mutations: many pipelines in one transaction, each of which is changed or refused alone.

Entries are handled in their order. An id that is given twice is handled twice: its second start or cancellation changes
nothing, its second deletion is NOT_FOUND.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from app.auth.caller import Caller
from app.database.interface import Database
from app.database.writes.mutations import LONG, SHORT, Steps
from app.errors import Rejected, RequestError, RequestErrorCode, not_found
from app.models.tables import Pipeline
from app.pipelines import lifecycle, service
from app.pipelines.access import require_write
from app.pipelines.inputs import PipelineCreate
from app.pipelines.lifecycle import QueueLimits, Start
from app.pipelines.transactions.rows import lock_pipelines

T = TypeVar("T")
MOST = 100
"""Maximum number of pipelines of one mutation."""


def require_count(argument: str, count: int) -> None:
    """Raise BAD_USER_INPUT for too few or too many entries of an argument."""
    if not 1 <= count <= MOST:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`{argument}` takes 1 to {MOST} entries, not {count}.")


async def create(
    database: Database,
    limits: QueueLimits,
    caller: Caller,
    drafts: Sequence[PipelineCreate | Rejected],
    request_id: str | None = None,
) -> list[Pipeline | Rejected]:
    """Create pipelines, and start those whose draft says so. Drafts that were refused already keep their place."""

    def steps() -> Steps[list[Pipeline | Rejected]]:
        start, outcomes = Start(limits, caller, request_id), list[Pipeline | Rejected]()
        for draft in drafts:
            if isinstance(draft, Rejected):
                outcomes.append(draft)
            else:
                created = service.insert(caller, draft, start if draft.start else None)
                outcomes.append((yield from _outcome(created)))
        return outcomes

    size = sum(0 if isinstance(each, Rejected) else service.size_of_elements(each.elements) for each in drafts)
    return await service.mutate_unique(database, steps, size)


async def start(
    database: Database, limits: QueueLimits, caller: Caller, ids: Sequence[str], request_id: str | None = None
) -> list[Pipeline | Rejected]:
    """Start pipelines, which are queued in their order."""

    def steps() -> Steps[list[Pipeline | Rejected]]:
        starts = Start(limits, caller, request_id)
        outcomes = yield from _each(caller, ids, starts.admit)
        yield from starts.write()
        return outcomes

    return await database.mutate(steps, SHORT * len(ids))


async def cancel(database: Database, caller: Caller, ids: Sequence[str]) -> list[Pipeline | Rejected]:
    """Cancel pipelines."""
    return await database.mutate(partial(_each, caller, ids, partial(lifecycle.cancel_locked, caller)), LONG)


async def delete(database: Database, caller: Caller, ids: Sequence[str]) -> list[Rejected | None]:
    """Delete pipelines; None stands for each that was deleted."""
    return await database.mutate(partial(_each, caller, ids, partial(service.remove, caller), is_last=True), LONG)


def _each(
    caller: Caller, ids: Sequence[str], change: Callable[[Pipeline], Steps[T]], *, is_last: bool = False
) -> Steps[list[T | Rejected]]:
    """Change each of the pipelines. `is_last`: a changed one is gone."""
    found = {} if not caller.may_write else (yield from lock_pipelines(caller, ids))
    outcomes: list[T | Rejected] = []
    for id in ids:
        outcome = yield from _outcome(_change(caller, found.get(id), change))
        if is_last and not isinstance(outcome, Rejected):
            del found[id]
        outcomes.append(outcome)
    return outcomes


def _change(caller: Caller, pipeline: Pipeline | None, change: Callable[[Pipeline], Steps[T]]) -> Steps[T]:
    require_write(caller)
    if pipeline is None:
        raise not_found("pipeline", "id")
    return (yield from change(pipeline))


def _outcome(steps: Steps[T]) -> Steps[T | Rejected]:
    """Return the result of steps, or their refusal, which they raise before they write anything."""
    try:
        return (yield from steps)
    except Rejected as rejected:
        return rejected
