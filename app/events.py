"""Change events and their publish/subscribe broker.

A transaction records its changes. On SQLite, which one process writes, the changes are published after the commit. On
PostgreSQL they are part of the transaction, as notifications that every process listens to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from pydantic import TypeAdapter, ValidationError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.callers import Caller
from app.elements import Element
from app.errors import Busy, VoltgraphError
from app.models import ElementType, JobErrorCode, Pipeline, PipelineElement, PipelineStatus

log = logging.getLogger("voltgraph")

CHANNEL = "voltgraph_changes"
NOTED = "voltgraph.changes"
LONGEST_PAYLOAD = 7999
"""Maximum bytes of a notification. PostgreSQL rejects a longer one and rolls the transaction back."""
MOST_PENDING = 10_000
"""Maximum number of undelivered changed pipelines of one subscriber."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Snapshot of the columns that filters use."""

    project_id: str
    created_by_email: str | None
    created_at: datetime
    updated_at: datetime
    folded_name: str
    status: PipelineStatus
    error_code: JobErrorCode | None
    element_types: frozenset[ElementType] | None = None
    """Element types; None if the change does not affect them."""


@dataclass(frozen=True, slots=True)
class Change:
    """Creation, change or deletion of a pipeline."""

    organization_id: str
    id: str
    before: Snapshot | None
    """State before the change; None if the pipeline was created, or no column that filters use changed."""
    after: Snapshot | None
    """State after the change; None if the pipeline was deleted."""
    is_whole: bool = True
    """False if the change may affect more than the snapshots hold."""
    project_ids: tuple[str, ...] | None = None
    """Projects of the pipeline before and after the change, if the snapshots were left out; None otherwise."""

    def visible_to(self, caller: Caller) -> Change | None:
        """Return the part of the change that a caller may see; None if nothing. A state in a project that the caller
        may not use is removed, so that no filter evaluates that state."""
        if caller.projects is None:
            return self
        if self.before is None and self.after is None:
            return self if any(map(caller.may_use, self.project_ids or ())) else None
        before, after = (
            state if state is not None and caller.may_use(state.project_id) else None
            for state in (self.before, self.after)
        )
        return None if before is None and after is None else replace(self, before=before, after=after)

    def without_snapshots(self) -> Change:
        """Return a copy without snapshots, which holds only the projects of the pipeline."""
        states = (state for state in (self.before, self.after) if state is not None)
        projects = tuple(dict.fromkeys(state.project_id for state in states))
        return Change(self.organization_id, self.id, None, None, is_whole=False, project_ids=projects)


_changes = TypeAdapter(Change)


def snapshot(pipeline: Pipeline, element_types: frozenset[ElementType] | None = None) -> Snapshot:
    """Take a snapshot of a pipeline; call it before changing the row."""
    return Snapshot(
        pipeline.project_id,
        pipeline.created_by_email,
        pipeline.created_at,
        pipeline.updated_at,
        pipeline.folded_name,
        pipeline.status,
        pipeline.error_code,
        element_types,
    )


async def whole_snapshot(session: AsyncSession, pipeline: Pipeline) -> Snapshot:
    """Take a snapshot with the element types; call it before changing the elements."""
    query = select(col(PipelineElement.element_type)).where(col(PipelineElement.pipeline_id) == pipeline.id).distinct()
    return snapshot(pipeline, frozenset(await session.exec(query)))


async def changed(session: AsyncSession, pipeline: Pipeline, before: Snapshot | None = None) -> None:
    """Record that this transaction changed a pipeline.

    `before` is None if no column that filters use changed. `updated_at` must have moved forward: subscribers order
    states by it.
    """
    after = await whole_snapshot(session, pipeline)
    if before is not None and before.element_types is None:
        before = replace(before, element_types=after.element_types)
    await _tell(session, Change(pipeline.organization_id, pipeline.id, before, after))


def creation(pipeline: Pipeline, elements: Iterable[Element]) -> Change:
    """Return the change event of a created pipeline."""
    types = frozenset(element.type for element in elements)
    return Change(pipeline.organization_id, pipeline.id, None, snapshot(pipeline, types))


async def deleted(session: AsyncSession, pipeline: Pipeline) -> None:
    """Record that this transaction deletes a pipeline. Call it before its elements are deleted."""
    before = await whole_snapshot(session, pipeline)
    await _tell(session, Change(pipeline.organization_id, pipeline.id, before, None))


async def _tell(session: AsyncSession, change: Change) -> None:
    if session.get_bind().dialect.name == "postgresql":
        # Driver SQL: compiling the statement takes more than twice as long.
        connection = await session.connection()
        await connection.exec_driver_sql("SELECT pg_notify($1, $2)", (CHANNEL, encoded(change)))
    else:
        session.info.setdefault(NOTED, []).append(change)


def noted(session: AsyncSession) -> list[Change]:
    """Return the changes that a transaction on SQLite recorded, to publish after its commit."""
    changes: list[Change] = session.info.get(NOTED, [])
    return changes


def encoded(change: Change) -> str:
    """Encode a change as the payload of a notification. A payload that is too long names only the projects."""
    payload = _changes.dump_json(change)
    if len(payload) > LONGEST_PAYLOAD:
        payload = _changes.dump_json(change.without_snapshots())
    return payload.decode()


def decoded(payload: str) -> Change | None:
    """Decode a notification; None if another program sent it."""
    try:
        return _changes.validate_json(payload)
    except ValidationError:
        log.warning("a notification of another program: %.200s", payload)
        return None


Wants = Callable[[Change], bool]


def anything(_: Change) -> bool:
    """Accept every change."""
    return True


class Subscriber:
    """Queue of one subscriber: the ids of changed pipelines, each at most once."""

    __slots__ = ("_caller", "_error", "_ids", "_some", "_wants")

    def __init__(self, caller: Caller, wants: Wants) -> None:
        self._caller, self._wants = caller, wants
        self._ids: dict[str, None] = {}
        self._some = asyncio.Event()
        self._error: VoltgraphError | None = None

    def concerns(self, change: Change) -> bool:
        """Return whether the subscriber may see a change and wants it."""
        visible = change.visible_to(self._caller)
        return visible is not None and self._wants(visible)

    def note(self, id: str) -> None:
        """Add an id without waiting: a slow subscriber does not delay others."""
        self._ids[id] = None
        if len(self._ids) > MOST_PENDING:
            self.fail(Busy("Too many changes are pending. Read the list again, and subscribe again."))
        self._some.set()

    def fail(self, error: VoltgraphError) -> None:
        """End the subscription with an error; pending changes are dropped."""
        self._error = error
        self._ids.clear()
        self._some.set()

    async def take(self, most: int) -> list[str]:
        """Wait for changes and return the oldest ids. Raises the error that ended the subscription, and Busy if ids
        were dropped because too many were pending."""
        await self._some.wait()
        if self._error is not None:
            raise self._error
        ids = list(islice(self._ids, most))
        for id in ids:
            del self._ids[id]
        if not self._ids:
            self._some.clear()
        return ids


class Hub:
    """Broker of this process: subscribers by organization."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str | None], set[Subscriber]] = {}

    @contextmanager
    def subscribe(self, caller: Caller, id: str | None = None, wants: Wants = anything) -> Iterator[Subscriber]:
        """Subscribe to changes of one pipeline, or of all pipelines that the caller may see, until the context exits.
        `wants` is evaluated only for states that the caller may see."""
        key, subscriber = (caller.organization_id, id), Subscriber(caller, wants)
        self._subscribers.setdefault(key, set()).add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers[key].discard(subscriber)
            if not self._subscribers[key]:
                del self._subscribers[key]

    @property
    def has_subscribers(self) -> bool:
        """Return whether there is any subscriber."""
        return bool(self._subscribers)

    def publish(self, change: Change) -> None:
        """Notify the subscribers of a change. Subscribers of a single pipeline check the access when they reread it."""
        for subscriber in self._subscribers.get((change.organization_id, change.id), ()):
            subscriber.note(change.id)
        for subscriber in self._subscribers.get((change.organization_id, None), ()):
            if subscriber.concerns(change):
                subscriber.note(change.id)

    def recheck(self) -> None:
        """Make every subscriber of a single pipeline reread it: changes may have been missed."""
        for (_, id), subscribers in self._subscribers.items():
            if id is not None:
                for subscriber in subscribers:
                    subscriber.note(id)

    def organizations(self) -> list[str]:
        """Return the organizations with a subscriber to all changes."""
        return [organization_id for organization_id, id in self._subscribers if id is None]
