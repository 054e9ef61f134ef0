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
Watcher = Callable[[Change | None], None]
"""Callback for the changes of all organizations; None: some may have been missed."""


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


class Broker:
    """Broker of this process: subscribers by organization."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str | None], set[Subscriber]] = {}
        self._watchers: list[Watcher] = []

    @contextmanager
    def subscribe(self, caller: Caller, id: str | None = None, wants: Wants = anything) -> Iterator[Subscriber]:
        """Subscribe to changes of one pipeline or measurement, or of all pipelines that the caller may see, until the
        context exits. `wants` is evaluated only for states that the caller may see."""
        key, subscriber = (caller.organization_id, id), Subscriber(caller, wants)
        self._subscribers.setdefault(key, set()).add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers[key].discard(subscriber)
            if not self._subscribers[key]:
                del self._subscribers[key]

    @contextmanager
    def watch(self, watcher: Watcher) -> Iterator[None]:
        """Call `watcher` with each change of an existing pipeline until the context exits, for the server itself."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    @property
    def has_subscribers(self) -> bool:
        """Return whether there is any subscriber."""
        return bool(self._subscribers)

    def publish(self, change: Change) -> None:
        """Notify the subscribers of a change. Subscribers of a single row check the access when they reread it."""
        for watcher in self._watchers:
            watcher(change)
        for subscriber in self._subscribers.get((change.organization_id, change.id), ()):
            subscriber.note(change.id)
        if change.kind != "pipeline":
            return
        for subscriber in self._subscribers.get((change.organization_id, None), ()):
            if subscriber.concerns(change):
                subscriber.note(change.id)

    def recheck(self) -> None:
        """Make every subscriber of a single pipeline reread it: changes may have been missed."""
        for watcher in self._watchers:
            watcher(None)
        for (_, id), subscribers in self._subscribers.items():
            if id is not None:
                for subscriber in subscribers:
                    subscriber.note(id)

    def organizations(self) -> list[str]:
        """Return the organizations with a subscriber to all changes."""
        return [organization_id for organization_id, id in self._subscribers if id is None]
