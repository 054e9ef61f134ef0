"""Bulk mutations: many pipelines in one transaction, each of which is changed or refused alone.

Entries are handled in their order. An id that is given twice is handled twice: its second start or cancellation changes
nothing, its second deletion is NOT_FOUND.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.auth.caller import Caller
from app.database.interface import Database
from app.database.writes.mutations import LONG, SHORT, Steps
from app.errors import Rejected, RequestError, RequestErrorCode
from app.models.tables import Pipeline
from app.pipelines import lifecycle, service
from app.pipelines.inputs import PipelineCreate
from app.pipelines.lifecycle import QueueLimits, Start
from app.pipelines.transactions.deletion import delete_each
from app.pipelines.transactions.each import change_each, outcome_of

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
                outcomes.append((yield from outcome_of(created)))
        return outcomes

    size = sum(0 if isinstance(each, Rejected) else service.size_of_elements(each.elements) for each in drafts)
    return await service.mutate_unique(database, steps, size)


async def start(
    database: Database, limits: QueueLimits, caller: Caller, ids: Sequence[str], request_id: str | None = None
) -> list[Pipeline | Rejected]:
    """Start pipelines, which are queued in their order."""
    steps = partial(lifecycle.start_each, limits, caller, [(id, request_id) for id in ids])
    return await database.mutate(steps, SHORT * len(ids))


async def cancel(database: Database, caller: Caller, ids: Sequence[str]) -> list[Pipeline | Rejected]:
    """Cancel pipelines."""
    change = partial(lifecycle.cancel_locked, caller)
    return await database.mutate(partial(change_each, caller, [(id, change) for id in ids]), LONG)


async def delete(database: Database, caller: Caller, ids: Sequence[str]) -> list[Rejected | None]:
    """Delete pipelines; None stands for each that was deleted."""
    return await database.mutate(partial(delete_each, caller, ids), SHORT * len(ids))
