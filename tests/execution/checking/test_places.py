"""Places of checks: organizations take turns, and waiting is bounded."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import RequestError, RequestErrorCode
from app.execution.checking.places import MOST_WAITING, MOST_WAITING_EACH, Places


class Line:
    """Checks that wait for the only place, and the order in which they got it."""

    def __init__(self, count: int = 1) -> None:
        self.places, self.served = Places(count), list[str]()
        self.tasks = list[asyncio.Task[None]]()

    async def add(self, *organizations: str) -> list[asyncio.Task[None]]:
        added = [asyncio.create_task(self._check(each)) for each in organizations]
        self.tasks += added
        await asyncio.sleep(0)
        return added

    async def _check(self, organization: str) -> None:
        async with self.places.place(organization):
            self.served.append(organization)
            await asyncio.sleep(0)


async def test_organizations_take_turns() -> None:
    line = Line()
    await line.add("a", "a", "a", "a", "b", "b", "c")
    await asyncio.gather(*line.tasks)
    assert "".join(line.served) == "aabcaba"


async def test_as_many_work_as_there_are_places() -> None:
    line = Line(2)
    async with line.places.place("a"), line.places.place("a"):
        await line.add("b")
        assert line.served == []
    await asyncio.gather(*line.tasks)
    assert line.served == ["b"]


async def test_an_organization_waits_with_a_few_checks() -> None:
    line = Line()
    async with line.places.place("a"):
        waiting = await line.add(*["a"] * MOST_WAITING_EACH)
        with pytest.raises(RequestError) as refused:
            await line.places._take("a")
        assert refused.value.code is RequestErrorCode.BUSY
        others = await line.add(*map(str, range(MOST_WAITING - MOST_WAITING_EACH)))
        with pytest.raises(RequestError):
            await line.places._take("b")
    await asyncio.gather(*waiting, *others)
    async with line.places.place("a"):
        pass


async def test_a_canceled_wait_takes_no_place() -> None:
    line = Line()
    async with line.places.place("a"):
        first, second = await line.add("b", "b")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    second.cancel()  # it has been given the place, but has not run since
    await asyncio.gather(second, return_exceptions=True)
    assert line.served == []
    async with asyncio.timeout(5), line.places.place("c"):
        pass
