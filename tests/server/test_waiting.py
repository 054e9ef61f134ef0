"""Queue and flag of a connection, beside those of asyncio."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from app.server.connections.waiting import EventQueue, Flag


async def taken(queue: EventQueue) -> Any:
    """Wait for the oldest event, as a connection does."""
    if queue.empty():
        await queue.wait()
    return queue.get_nowait()


async def test_events_come_in_order_and_are_waited_for() -> None:
    queue = EventQueue()
    queue.put_nowait("a")
    queue.put_nowait("b")
    assert [await taken(queue), queue.empty(), await taken(queue), queue.empty()] == ["a", False, "b", True]
    waiting = asyncio.create_task(taken(queue))
    await asyncio.sleep(0)
    queue.put_nowait("c")
    queue.put_nowait("d")
    assert await waiting == "c"
    assert await taken(queue) == "d"


@pytest.mark.parametrize("puts_first", [True, False])
async def test_a_canceled_wait_loses_no_event(puts_first: bool) -> None:
    queue = EventQueue()
    waiting = asyncio.create_task(taken(queue))
    await asyncio.sleep(0)
    if puts_first:
        queue.put_nowait("a")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if not puts_first:
        queue.put_nowait("a")
    assert waiting.cancelled()
    assert await asyncio.wait_for(taken(queue), 20) == "a"


@pytest.mark.parametrize("new", [Flag, asyncio.Event])
async def test_a_canceled_wait_leaves_nothing(new: Callable[[], Any]) -> None:
    flag = new()
    flag.clear()
    before = futures()
    for _ in range(100):
        waiting = asyncio.create_task(flag.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert futures() - before < 10


def futures() -> int:
    """Return the number of futures of this process that are in use."""
    gc.collect()
    return sum(isinstance(each, asyncio.Future) for each in gc.get_objects())


@pytest.mark.parametrize("new", [Flag, asyncio.Event])
async def test_all_waits_end_once_the_flag_is_set(new: Callable[[], Any]) -> None:
    flag = new()
    flag.set()
    await flag.wait()
    flag.clear()
    flag.clear()
    waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False, False]
    assert not flag.is_set()
    flag.set()
    flag.set()
    assert flag.is_set()
    flag.clear()  # a wait that has ended stays so
    await asyncio.wait_for(asyncio.gather(*waiting[1:]), 20)
