"""Child processes on demand, for work of a server beside jobs: their fork server starts with the first use, and a
bulkhead bounds how many work at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.errors import RequestError, RequestErrorCode
from app.execution.processes import ChildProcesses
from app.settings import Settings


class ChildrenOnDemand:
    """Child processes of the worker of this process; without a worker, of a fork server that the first use starts."""

    def __init__(self, settings: Settings, children: ChildProcesses | None = None) -> None:
        """Create the processes. `children` are those of the worker of this process, if it has one."""
        self._settings, self._children = settings, children
        self.is_shared = children is not None
        """Whether they are those of a worker."""
        self._starting = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> ChildrenOnDemand:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the processes, unless they are those of a worker."""
        await self._stack.aclose()

    async def start(self) -> ChildProcesses:
        """Return the processes; start their fork server if it does not run."""
        async with self._starting:
            if self._children is None:
                self._children = await self._stack.enter_async_context(ChildProcesses(self._settings))
        return self._children


class Bulkhead:
    """Bulkhead: a number of tasks that work at a time, and a number of further ones that wait."""

    def __init__(self, places: int, most_waiting: int, busy: str) -> None:
        """Create a bulkhead. `busy` is the message for tasks beyond both numbers."""
        self._places = asyncio.Semaphore(places)
        self._most, self._busy = places + most_waiting, busy
        self._present = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a free place and hold it. Raises RequestError with BUSY if too many wait."""
        if self._present >= self._most:
            raise RequestError(RequestErrorCode.BUSY, self._busy)
        self._present += 1
        try:
            async with self._places:
                yield
        finally:
            self._present -= 1
