"""Timeouts of coroutines that are started at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from app.server.fast_path.eager import SuspendedCoroutine, begin, in_task

T = TypeVar("T")


async def with_timeout(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` with a timeout. It starts at once, and a timer is set only if it suspends: most work does not."""
    begun = begin(work)
    if not isinstance(begun, SuspendedCoroutine):
        return begun
    await in_task()
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
