"""Eager start of coroutines, without a Task while they do not suspend."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def begin(work: Coroutine[Any, Any, T]) -> T | SuspendedCoroutine[T]:
    """Start a coroutine; return its result if it does not suspend."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return SuspendedCoroutine(work, waits_for)


def drive(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    """Run a coroutine without a Task: if it suspends on a Future, resume it from that future's callback; otherwise wrap
    the rest in a Task kept in `tasks`."""
    begun = begin(work)
    if not isinstance(begun, SuspendedCoroutine):
        return
    if asyncio.isfuture(begun.waits_for):
        begun.waits_for._asyncio_future_blocking = False  # as a Task does with a future that it receives
        begun.waits_for.add_done_callback(lambda _: drive(work, tasks))
    else:
        task = asyncio.create_task(_finish(begun))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _finish(begun: SuspendedCoroutine[T]) -> T:
    return await begun


async def in_task() -> None:
    """Make sure to run in a Task, which an eagerly started coroutine does only after its first suspension. asyncio's
    timeouts need one."""
    if asyncio.current_task() is None:
        await _NextTurn()


class _NextTurn:
    def __await__(self) -> Generator[None, None, None]:
        yield


class SuspendedCoroutine(Generic[T]):
    """A coroutine that was started and is suspended."""

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work, self.waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        work, waits_for = self._work, self.waits_for
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
