"""Timeouts, and eager start of coroutines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.server.timeouts import SuspendedCoroutine, begin, finish_with_timeout, with_timeout

EVER = 60.0


async def test_what_need_not_wait_is_done_without_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> str:
        return "done"

    monkeypatch.setattr(asyncio, "timeout", None)
    assert await with_timeout(EVER, work()) == "done"


async def test_what_waits_goes_on_where_it_was() -> None:
    turns: list[int] = []

    async def work() -> list[int]:
        for turn in range(3):
            turns.append(turn)
            await asyncio.sleep(0)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(ready.set_result, None)
        await ready
        return turns

    assert await with_timeout(EVER, work()) == [0, 1, 2]


@pytest.mark.parametrize("waits", [False, True])
async def test_what_it_raises_is_raised(waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        await with_timeout(EVER, work())


async def test_what_takes_too_long_is_ended() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    with pytest.raises(TimeoutError):
        await with_timeout(0.0, work())
    assert ended == ["ended"]


async def test_who_is_canceled_ends_it() -> None:
    ended: list[Any] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    task = asyncio.create_task(with_timeout(EVER, work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ended) == 1


async def test_a_failure_that_it_catches_is_its_own() -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise KeyError("wrong")

    async def work() -> str:
        try:
            await asyncio.gather(failing(), failing())
        except KeyError:
            await asyncio.sleep(0)
            return "caught"
        return "missed"

    assert await with_timeout(EVER, work()) == "caught"


async def test_what_is_finished_anyway_goes_on_when_it_takes_too_long() -> None:
    went_on = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        went_on.set()

    with pytest.raises(TimeoutError):
        await finish_with_timeout(0.0, work())
    await asyncio.wait_for(went_on.wait(), 10)


async def test_what_is_finished_anyway_goes_on_when_nobody_waits() -> None:
    began, went_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await asyncio.sleep(0.01)
        went_on.set()

    waiting = asyncio.create_task(finish_with_timeout(EVER, work()))
    await began.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(went_on.wait(), 10)


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_finished_anyway_is_told(fails: bool) -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        if fails:
            raise KeyError("wrong")
        return "done"

    if fails:
        with pytest.raises(KeyError):
            await finish_with_timeout(EVER, work())
    else:
        assert await finish_with_timeout(EVER, work()) == "done"


@pytest.mark.parametrize("turns", [[], ["future"], ["future", "future"], ["turn"], ["future", "turn", "future"]])
async def test_begun_work_goes_on_in_a_task_whatever_it_waits_for(turns: list[str]) -> None:
    loop = asyncio.get_running_loop()

    async def work() -> str:
        for turn in turns:
            if turn == "turn":
                await asyncio.sleep(0)
            else:
                ready: asyncio.Future[str] = loop.create_future()
                loop.call_soon(ready.set_result, turn)
                assert await ready == turn
        return "done"

    begun = begin(work())
    if turns:
        assert isinstance(begun, SuspendedCoroutine)
        await asyncio.sleep(0)  # the future may be done before the work goes on
        begun = await asyncio.wait_for(begun, 10)
    assert begun == "done"


async def test_begun_work_meets_what_its_future_raises() -> None:
    failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await failing
        except KeyError:
            return "met"
        return "missed"

    begun = begin(work())
    assert isinstance(begun, SuspendedCoroutine)
    failing.set_exception(KeyError("wrong"))
    assert await begun == "met"


def test_a_timeout_begins_outside_of_a_task_if_the_rest_runs_in_one() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    async def finish(begun: SuspendedCoroutine[str]) -> str:
        return await begun

    loop = asyncio.new_event_loop()
    try:
        results: list[asyncio.Task[str]] = []

        def start() -> None:
            begun = begin(with_timeout(EVER, work()))
            assert isinstance(begun, SuspendedCoroutine)
            results.append(loop.create_task(finish(begun)))
            results[0].add_done_callback(lambda _: loop.stop())

        loop.call_soon(start)
        loop.run_forever()
        assert results[0].result() == "done"
    finally:
        loop.close()
