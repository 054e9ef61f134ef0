"""Publish/subscribe broker of this process for change events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from app.auth.caller import Caller, revoked
from app.database.changes import Change
from app.errors import Busy, VoltgraphError

MOST_PENDING = 10_000
"""Maximum number of undelivered changed pipelines of one subscriber."""
AT_ONCE = 64
"""Number of subscribers that are woken in one turn of the event loop, so that others are served meanwhile."""
LEAD = 0.1
"""Maximum seconds between the first of them and the rest. The first read the state and make the answer that the rest
share; if all waited for these, each would take 3 KiB more."""
POLL = 0.002
"""Seconds between two checks whether one of the first is done."""


class Match(NamedTuple):
    """Result of matching a change, or several merged ones, against a filter."""

    before: bool | None = None
    """Whether the pipeline matched before the first change; None if unknown."""
    after: bool | None = None
    """Whether it matches after the last change; None if unknown."""
    is_gone: bool = False
    """Whether the last change deleted it, or took it out of the projects of the subscriber."""

    def then(self, later: Match) -> Match:
        """Return the match of both changes as one."""
        return later._replace(before=self.before)


UNKNOWN = Match()
Wants = Callable[[Change], Match | None]
"""Match of a change against a filter; None if the pipeline matches neither before nor after it."""
Watcher = Callable[[Change | None], None]
"""Callback for the changes of all organizations; None: some may have been missed."""


def anything(_: Change) -> Match:
    """Accept every change."""
    return UNKNOWN


class Subscriber:
    """Queue of one subscriber: the ids of changed pipelines, each at most once, with the match of their changes."""

    __slots__ = ("_caller", "_error", "_ids", "_waiting", "_wants")

    def __init__(self, caller: Caller, wants: Wants) -> None:
        self._caller, self._wants = caller, wants
        self._ids: dict[str, Match] = {}
        self._waiting: asyncio.Future[None] | None = None
        """Future of `take` while it waits. An asyncio.Event would take ten times the memory."""
        self._error: VoltgraphError | None = None

    @property
    def organization_id(self) -> str:
        return self._caller.organization_id

    def match(self, change: Change) -> Match | None:
        """Return the match of a change; None if the subscriber may not see it or does not want it."""
        visible = change.visible_to(self._caller)
        return None if visible is None else self._wants(visible)

    def note(self, id: str, match: Match = UNKNOWN) -> bool:
        """Add a change without waiting: a slow subscriber does not delay others. Return whether the subscriber sleeps:
        the first pending id."""
        is_first = not self._ids
        pending = self._ids.get(id)
        self._ids[id] = match if pending is None else pending.then(match)
        if len(self._ids) > MOST_PENDING:
            self.fail(Busy("Too many changes are pending. Read the list again, and subscribe again."))
        return is_first

    @property
    def is_waiting(self) -> bool:
        """Return whether the subscriber waits for changes."""
        return self._waiting is not None and not self._waiting.done()

    def wake(self) -> None:
        """Continue a subscriber that waits for changes."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def fail(self, error: VoltgraphError) -> None:
        """End the subscription with an error; pending changes are dropped."""
        self._error = error
        self._ids.clear()
        self.wake()

    def revoke(self) -> None:
        """End the subscription with UNAUTHENTICATED."""
        self.fail(revoked())

    async def take(self, most: int) -> dict[str, Match]:
        """Wait for changes and return the oldest ids with their matches, at least one. Raises the error that ended the
        subscription, and Busy if ids were dropped because too many were pending."""
        # The broker wakes a crowd bit by bit. When it comes to this subscriber, its changes may be taken already.
        while not self._ids and self._error is None:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        if self._error is not None:
            raise self._error
        if len(self._ids) <= most:
            ids, self._ids = self._ids, {}  # also frees the table of the old one
            return ids
        return {id: self._ids.pop(id) for id in list(islice(self._ids, most))}


class Broker:
    """Broker of this process: subscribers by organization."""

    def __init__(self) -> None:
        self._subscribers: dict[tuple[str, str | None], dict[Hashable, set[Subscriber]]] = {}
        """Subscribers by organization and pipeline, and by kind: those of one kind see and want the same changes."""
        self._watchers: list[Watcher] = []
        self._asleep: deque[Subscriber] = deque()
        """Subscribers with changes that have not been woken."""

    @contextmanager
    def subscribe(self, caller: Caller, id: str | None = None, wants: Wants = anything) -> Iterator[Subscriber]:
        """Subscribe to changes of one pipeline or measurement, or of all pipelines that the caller may see, until the
        context exits. `wants` is evaluated only for states that the caller may see."""
        subscriber = Subscriber(caller, wants)
        self.add(subscriber, id)
        try:
            yield subscriber
        finally:
            self.remove(subscriber, id)

    def add(self, subscriber: Subscriber, id: str | None, kind: Hashable = None) -> None:
        """Add a subscriber to changes of one pipeline or of all. Subscribers of one `kind` must want the same."""
        kinds = self._subscribers.setdefault((subscriber.organization_id, id), {})
        kinds.setdefault(subscriber if kind is None else kind, set()).add(subscriber)

    def remove(self, subscriber: Subscriber, id: str | None, kind: Hashable = None) -> None:
        """Remove a subscriber that was added with the same arguments."""
        kind = subscriber if kind is None else kind
        kinds = self._subscribers[subscriber.organization_id, id]
        kinds[kind].discard(subscriber)
        if not kinds[kind]:
            del kinds[kind]
        if not kinds:
            del self._subscribers[subscriber.organization_id, id]

    @contextmanager
    def watch(self, watcher: Watcher) -> Iterator[None]:
        """Call `watcher` with each change of an existing pipeline until the context exits, for the server itself."""
        self.add_watcher(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    def add_watcher(self, watcher: Watcher) -> None:
        """Call `watcher` with each change of an existing pipeline, before subscribers hear of it."""
        self._watchers.append(watcher)

    @property
    def has_subscribers(self) -> bool:
        """Return whether there is any subscriber."""
        return bool(self._subscribers)

    def publish(self, change: Change) -> None:
        """Notify the subscribers of a change. Subscribers of a single row check the access when they reread it."""
        self._tell(change)
        for subscribers in self._subscribers.get((change.organization_id, change.id), {}).values():
            self._note(subscribers, change.id, UNKNOWN)
        if change.kind != "pipeline":
            return
        for subscribers in self._subscribers.get((change.organization_id, None), {}).values():
            match = next(iter(subscribers)).match(change)
            if match is not None:
                self._note(subscribers, change.id, match)

    def recheck(self) -> None:
        """Make every subscriber of a single pipeline reread it: changes may have been missed."""
        self._tell(None)
        for (_, id), kinds in self._subscribers.items():
            if id is not None:
                for subscribers in kinds.values():
                    self._note(subscribers, id, UNKNOWN)

    def _note(self, subscribers: Iterable[Subscriber], id: str, match: Match) -> None:
        is_waking = bool(self._asleep)
        self._asleep.extend(subscriber for subscriber in subscribers if subscriber.note(id, match))
        if self._asleep and not is_waking:
            asyncio.get_running_loop().call_soon(self._wake_first)

    def _wake_first(self) -> None:
        """Wake some of the subscribers, and the rest once one of these waits for the next change."""
        first = self._wake_some()
        if self._asleep:
            self._follow(first, asyncio.get_running_loop().time() + LEAD)

    def _follow(self, first: list[Subscriber], deadline: float) -> None:
        loop = asyncio.get_running_loop()
        if any(subscriber.is_waiting for subscriber in first) or loop.time() >= deadline:
            self._wake_rest()
        else:
            loop.call_later(POLL, self._follow, first, deadline)

    def _wake_rest(self) -> None:
        """Wake some of the subscribers, and others in the next turns of the event loop."""
        self._wake_some()
        if self._asleep:
            asyncio.get_running_loop().call_soon(self._wake_rest)

    def _wake_some(self) -> list[Subscriber]:
        some = [self._asleep.popleft() for _ in range(min(AT_ONCE, len(self._asleep)))]
        for subscriber in some:
            subscriber.wake()
        return some

    def _tell(self, change: Change | None) -> None:
        for watcher in self._watchers:
            watcher(change)

    def organizations(self) -> list[str]:
        """Return the organizations with a subscriber to all changes."""
        return [organization_id for organization_id, id in self._subscribers if id is None]
