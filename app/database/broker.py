"""Publish/subscribe broker of this process for change events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from app.auth.caller import Caller
from app.database.changes import Change
from app.errors import Busy, VoltgraphError

MOST_PENDING = 10_000
"""Maximum number of undelivered changed pipelines of one subscriber."""
Wants = Callable[[Change], bool]


def anything(_: Change) -> bool:
    """Want to hear of every change."""
    return True


class Subscriber:
    """Queue of one subscriber: the ids of changed pipelines, each once."""

    __slots__ = ("_caller", "_error", "_ids", "_some", "_wants")

    def __init__(self, caller: Caller, wants: Wants) -> None:
        self._caller, self._wants = caller, wants
        self._ids: dict[str, None] = {}
        self._some = asyncio.Event()
        self._error: VoltgraphError | None = None

    def concerns(self, change: Change) -> bool:
        """Whether the subscriber may know of a change, and wants to."""
        visible = change.visible_to(self._caller)
        return visible is not None and self._wants(visible)

    def note(self, id: str) -> None:
        """Add an id without waiting: a slow subscriber delays nobody else."""
        self._ids[id] = None
        if len(self._ids) > MOST_PENDING:
            self.fail(Busy("More changed than this subscription could be told of. Read anew, and subscribe again."))
        self._some.set()

    def fail(self, error: VoltgraphError) -> None:
        """End the subscription with an error; pending changes are dropped."""
        self._error = error
        self._ids.clear()
        self._some.set()

    async def take(self, most: int) -> list[str]:
        """The ids that waited longest, once there are any. The error that ended the subscription; Busy when so many
        waited that some were dropped."""
        await self._some.wait()
        if self._error is not None:
            raise self._error
        ids = list(islice(self._ids, most))
        for id in ids:
            del self._ids[id]
        if not self._ids:
            self._some.clear()
        return ids


class Broker:
    """Broker of this process: subscribers by organization."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str | None], set[Subscriber]] = {}

    @contextmanager
    def subscribe(self, caller: Caller, id: str | None = None, wants: Wants = anything) -> Iterator[Subscriber]:
        """Hear of changes to one pipeline, or to all that the caller may see, until left. `wants` is asked only of the
        states that the caller may see."""
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
        """Tell whoever wants to hear of it. Subscribers of one pipeline read that as their callers may."""
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
