"""Group commit: queued writes are committed in batches, because a commit costs the same for one as for many. A full
queue gives backpressure: load shedding refuses further writes as Busy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import groupby
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar

from app.database.availability import is_unavailable
from app.errors import Busy, VoltgraphError

Item = TypeVar("Item")
ROUND = 256
"""Maximum number of writes in a batch."""


class Abandoned(VoltgraphError):
    """A write canceled itself; the writes queued behind it are committed nevertheless."""


class GroupCommit(Generic[Item]):
    """Group commit of queued items, in their order; items of one kind share a batch. `commit` returns for each item its
    result or its error. If it raises, nothing was stored, and it is called again for each item alone."""

    def __init__(
        self,
        commit: Callable[[list[Item]], Awaitable[list[Any]]],
        max_waiting: int,
        kind: Callable[[Item], object] = type,
    ) -> None:
        self._commit, self._max_waiting, self._kind = commit, max_waiting, kind
        self._waiting: list[tuple[Item, asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None
        self.failed_at = -inf
        """Time of the last failed commit."""

    def put(self, item: Item) -> asyncio.Future[Any]:
        """Queue an item; the future gives its result once it is committed. Raises Busy if the queue is full."""
        if len(self._waiting) >= self._max_waiting:
            raise Busy("Too many writes are waiting. Try again.")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return done

    @property
    def waiting(self) -> int:
        """Number of queued items."""
        return len(self._waiting)

    async def close(self) -> None:
        """Wait until the queue is empty."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        try:
            while self._waiting:
                _, alike = next(groupby(self._waiting[:ROUND], lambda each: self._kind(each[0])))
                batch = list(alike)
                del self._waiting[: len(batch)]
                if wanted := [each for each in batch if not each[1].done()]:
                    await self._round(wanted)
        finally:
            self._running = None

    async def _round(self, batch: list[tuple[Item, asyncio.Future[Any]]]) -> None:
        try:
            outcomes = await self._commit([item for item, _ in batch])
        except (Exception, asyncio.CancelledError) as error:
            if self._running is not None and self._running.cancelling():  # the event loop ends
                for _, done in batch:
                    done.cancel()
                raise
            if len(batch) > 1:
                for each in batch:
                    await self._round([each])
                return
            outcomes = [error if isinstance(error, Exception) else Abandoned("the write was canceled from within")]
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            if done.done():  # its caller left
                continue
            if isinstance(outcome, Exception):
                if is_unavailable(outcome):
                    self.failed_at = monotonic()
                done.set_exception(outcome)
            else:
                done.set_result(outcome)
