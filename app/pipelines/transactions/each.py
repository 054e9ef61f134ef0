"""Changes of several pipelines in one transaction, each of which is changed or refused alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.auth.caller import Caller
from app.database.writes.mutations import Steps
from app.errors import Rejected, not_found
from app.models.tables import Pipeline
from app.pipelines.access import require_write
from app.pipelines.transactions.rows import lock_pipelines

T = TypeVar("T")
ChangeOfOne = Callable[[Pipeline], Steps[T]]
"""Steps that change a locked pipeline. They raise Rejected before they write anything."""


def change_each(caller: Caller, changes: Sequence[tuple[str, ChangeOfOne[T]]]) -> Steps[list[T | Rejected]]:
    """Lock pipelines and change each, in the order of `changes`; a refusal takes the place of its result."""
    found = {} if not caller.may_write else (yield from lock_pipelines(caller, [id for id, _ in changes]))
    outcomes: list[T | Rejected] = []
    for id, change in changes:
        outcomes.append((yield from outcome_of(_change(caller, found.get(id), change))))
    return outcomes


def _change(caller: Caller, pipeline: Pipeline | None, change: ChangeOfOne[T]) -> Steps[T]:
    require_write(caller)
    if pipeline is None:
        raise not_found("pipeline", "id")
    return (yield from change(pipeline))


def outcome_of(steps: Steps[T]) -> Steps[T | Rejected]:
    """Return the result of steps, or their refusal, which they raise before they write anything."""
    try:
        return (yield from steps)
    except Rejected as rejected:
        return rejected
