"""Newest states of changed pipelines, each read once for all subscribers with equal rights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextvars import Context
from typing import Any, NamedTuple

from app.auth.caller import Caller
from app.database.changes import Change
from app.database.interface import Database
from app.models.tables import Pipeline
from app.pipelines import repository

READ_TOGETHER = 500
KEPT = 2.0
"""Seconds after which a state is read again, also if no change was heard of."""
MOST_KEPT = 32 * 2**20
"""Maximum bytes of answers that states carry for later subscribers."""


class Reading:
    """State of a pipeline as callers with equal rights see it, and the answers that were made of it."""

    __slots__ = ("_matches", "_readings", "answers", "pipeline")

    def __init__(self, readings: Readings, pipeline: Pipeline | None) -> None:
        self._readings, self.pipeline = readings, pipeline
        self.answers: dict[Hashable, Any] = {}
        """Answers by operation, variables and variant of the event."""
        self._matches: dict[Hashable, asyncio.Task[bool]] = {}

    def keep(self, size: int) -> None:
        """Count the bytes of an answer."""
        self._readings.keep(size)

    async def matches(self, filter: Hashable, read: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        """Return whether the state matches a filter, which is read once for all subscribers."""
        task = self._matches.get(filter)
        if task is None:
            task = self._matches[filter] = asyncio.create_task(read(), context=Context())
        return await asyncio.shield(task)


class Event(NamedTuple):
    """Event of a subscription: the value that resolvers take, and the reading that it comes from."""

    payload: Any
    reading: Reading
    variant: Hashable = None
    """All that the payload holds besides the reading; answers of one reading are shared by equal variants."""


class Readings:
    """Cache of the states that subscribers are reading. A change of a pipeline drops its state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.broker.add_watcher(self._hear)
        self._wanted: dict[Caller, dict[str, asyncio.Future[Reading]]] = {}
        """States whose read has not begun, by rights and id."""
        self._known: dict[str, dict[Caller, asyncio.Future[Reading]]] = {}
        """States that are being read or were read, by id and rights."""
        self._reading: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._kept = 0

    async def load(self, rights: Caller, ids: list[str], *, fresh: bool = False) -> list[Reading]:
        """Return the states of pipelines, without a pipeline if none exists or `rights` do not include it. A state is
        as new as the last change that was heard of; with `fresh`, as the database."""
        futures = [self._future(rights, id, fresh) for id in ids]
        return [future.result() if future.done() else await asyncio.shield(future) for future in futures]

    def keep(self, size: int) -> None:
        """Count the bytes of an answer. Drop all states at the limit: later subscribers read them again."""
        self._kept += size
        if self._kept > MOST_KEPT:
            self._drop(None)

    def _future(self, rights: Caller, id: str, fresh: bool) -> asyncio.Future[Reading]:
        known = None if fresh else self._known.get(id, {}).get(rights)
        return known if known is not None else self._begin(rights, id)

    def _begin(self, rights: Caller, id: str) -> asyncio.Future[Reading]:
        """Have a state read together with others. All calls of one event-loop turn share one query."""
        wanted = self._wanted.get(rights)
        if wanted is None:
            wanted = self._wanted[rights] = {}
            task = asyncio.create_task(self._read(rights), context=Context())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        future = wanted.get(id)
        if future is None:
            future = wanted[id] = asyncio.get_running_loop().create_future()
        self._known.setdefault(id, {})[rights] = future
        if self._expiry is None:
            self._expiry = asyncio.get_running_loop().call_later(KEPT, self._drop, None)
        return future

    async def _read(self, rights: Caller) -> None:
        await asyncio.sleep(0)  # wait until all subscribers woken in this turn have asked
        wanted = self._wanted.pop(rights)
        ids = list(wanted)
        try:
            found: dict[str, Pipeline] = {}
            for start in range(0, len(ids), READ_TOGETHER):
                found |= await repository.pipelines(self._database, rights, ids[start : start + READ_TOGETHER])
        except Exception as error:
            for id, future in wanted.items():
                self._drop(id)
                future.set_exception(error)
                future.exception()  # mark it as retrieved: the subscriber may have left
        else:
            for id, future in wanted.items():
                future.set_result(Reading(self, found.get(id)))

    def _hear(self, change: Change | None) -> None:
        self._drop(None if change is None else change.id)

    def _drop(self, id: str | None) -> None:
        """Forget the state of a pipeline that changed, or all states."""
        if id is not None:
            self._known.pop(id, None)
            return
        self._known, self._kept = {}, 0
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
