"""Bounds on how long something is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to; TimeoutError when that takes too long. It begins at once, and a timer is set only where it
    comes to wait: most does not, and is done before a timer would be set."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _Resumed(work, waits_for)


async def finished(work: Awaitable[T]) -> T:
    """What work comes to. It is finished also when nobody waits for it any longer."""
    return await asyncio.shield(asyncio.ensure_future(work))


class _Resumed(Generic[T]):
    """The rest of a coroutine that has begun, and waits."""

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work, self._waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        work, waits_for = self._work, self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:
                    waits_for = work.throw(error)
                else:
                    waits_for = work.send(sent)
        except StopIteration as done:
            result: T = done.value
            return result
