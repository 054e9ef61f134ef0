"""Timeouts of coroutines that are started at once, and that eager start.

From Python 3.12 on, `asyncio.Task(eager_start=True)` does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SuspendedCoroutine(Generic[T]):
    """A coroutine that was started and is suspended. Await it once for the result."""

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


def begin(work: Coroutine[Any, Any, T]) -> T | SuspendedCoroutine[T]:
    """Start a coroutine; return its result if it does not suspend. Until it suspends it need not run in a Task."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return SuspendedCoroutine(work, waits_for)


async def with_timeout(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` with a timeout. It starts at once, and a timer is set only if it suspends: most work does not."""
    begun = begin(work)
    return await finish_in_time(seconds, begun) if isinstance(begun, SuspendedCoroutine) else begun


async def finish_in_time(seconds: float, begun: SuspendedCoroutine[T]) -> T:
    """Run the rest of a coroutine that is suspended, with a timeout."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)  # suspended, a coroutine goes on in a Task, which the timeout needs
    async with asyncio.timeout(seconds):
        return await begun


async def finish_with_timeout(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` with a timeout. Raises TimeoutError; `work` is finished all the same, even if nobody waits for it."""
    loop = asyncio.get_running_loop()
    task, over = loop.create_task(work), loop.create_future()
    timer = loop.call_later(seconds, _end, over)
    task.add_done_callback(partial(_end, over))
    try:
        await over
    finally:
        timer.cancel()
    if not task.done():
        raise TimeoutError
    return task.result()


def _end(over: asyncio.Future[None], *_: object) -> None:
    if not over.done():
        over.set_result(None)
