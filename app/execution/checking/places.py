"""Places of checks: a few at a time, given in turn to the organizations that wait (round robin)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import RequestError, RequestErrorCode

MOST_WAITING, MOST_WAITING_EACH = 64, 16
"""Checks that wait for a place in one process: of all organizations, and of one."""
BUSY = "Too many pipelines are checked at the same time. Try again later."


class Places:
    """Places of one process. An organization that waits gets a place after at most one check of each other one."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def place(self, organization_id: str) -> AsyncIterator[None]:
        """Wait for a place and hold it. Raises RequestError with BUSY if too many wait."""
        await self._take(organization_id)
        try:
            yield
        finally:
            self._give_on()

    async def _take(self, organization_id: str) -> None:
        if self._free:
            self._free -= 1
            return
        own = self._waiting.get(organization_id, ())
        if len(own) >= MOST_WAITING_EACH or sum(map(len, self._waiting.values())) >= MOST_WAITING:
            raise RequestError(RequestErrorCode.BUSY, BUSY)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organization_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place came together with the cancellation
                self._give_on()
            else:
                self._leave(organization_id, turn)
            raise

    def _leave(self, organization_id: str, turn: asyncio.Future[None]) -> None:
        own = self._waiting[organization_id]
        own.remove(turn)
        if not own:
            del self._waiting[organization_id]

    def _give_on(self) -> None:
        """Give a place to the organization that has waited longest for a turn."""
        if not self._waiting:
            self._free += 1
            return
        organization_id, own = self._waiting.popitem(last=False)
        turn = own.popleft()
        if own:
            self._waiting[organization_id] = own
        turn.set_result(None)
