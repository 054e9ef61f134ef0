"""Queue, flag and pipeline of one connection. Those of asyncio and uvicorn hold deques, of 760 bytes each."""

from __future__ import annotations

import asyncio
from typing import Any


class EventQueue:
    """Queue of ASGI events for one consumer."""

    __slots__ = ("_events", "_waiting")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        return not self._events

    def put_nowait(self, event: Any) -> None:
        self._events.append(event)
        if self._waiting is not None:
            if not self._waiting.done():  # or canceled
                self._waiting.set_result(None)
            self._waiting = None

    def get_nowait(self) -> Any:
        """Return the oldest event."""
        return self._events.pop(0)

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done once there is an event. It is no coroutine, which would take 144 bytes."""
        self._waiting = asyncio.get_running_loop().create_future()
        return self._waiting


class Pipeline(list[Any]):
    """Requests that wait for the one before, newest first, as a deque."""

    __slots__ = ()

    def appendleft(self, request: Any) -> None:
        self.insert(0, request)


class Flag:
    """Flag that tasks wait for, as `asyncio.Event`, but set at first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] | None = None
        """Futures of the tasks that wait; None while the flag is set."""

    def is_set(self) -> bool:
        return self._waiting is None

    def set(self) -> None:
        for future in self._waiting or ():
            if not future.done():
                future.set_result(None)
        self._waiting = None

    def clear(self) -> None:
        if self._waiting is None:
            self._waiting = []

    async def wait(self) -> None:
        """Wait until the flag is set."""
        if self._waiting is not None:
            future = asyncio.get_running_loop().create_future()
            waiting = self._waiting
            waiting.append(future)
            try:
                await future
            finally:  # an event stream waits again every few seconds, for days
                waiting.remove(future)
