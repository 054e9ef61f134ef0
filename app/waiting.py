"""Bounds on how long something is waited for, and work that begins before it is known whether it waits at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to; TimeoutError when that takes too long. It begins at once, and a timer is set only where it
    comes to wait: most does not, and is done before a timer would be set."""
    begun = begin(work)
    if not isinstance(begun, Begun):
        return begun
    await in_task()
    async with asyncio.timeout(seconds):
        return await begun


def begin(work: Coroutine[Any, Any, T]) -> T | Begun[T]:
    """What `work` comes to, if it need not wait for anything."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return Begun(work, waits_for)


def drive(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    """Have work done that most often waits for one future and is done then. A task costs more than that: there is one,
    held in `tasks`, only for work that waits for something else."""
    begun = begin(work)
    if not isinstance(begun, Begun):
        return
    if asyncio.isfuture(begun.waits_for):
        begun.waits_for._asyncio_future_blocking = False  # as a task does, which it is yielded to
        begun.waits_for.add_done_callback(lambda _: drive(work, tasks))
    else:
        task = asyncio.create_task(_finish(begun))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _finish(begun: Begun[T]) -> T:
    return await begun


async def in_task() -> None:
    """Wait to be in a task, which what has begun by itself is only once it waits. asyncio's timers ask for one."""
    if asyncio.current_task() is None:
        await _NextTurn()


class _NextTurn:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def finished_within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to; TimeoutError when that takes too long. It is finished also then, and when nobody waits for
    it any longer."""
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


class Begun(Generic[T]):
    """The rest of a coroutine that has begun, and waits."""

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
