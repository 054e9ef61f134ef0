"""BPX documents of a real server: written in a child process with limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.errors import RequestError
from app.execution.on_demand import Bulkhead, ChildrenOnDemand
from app.execution.reading.exporter import Exporter, _checked
from app.settings import Settings

pytest.importorskip("pybamm", reason="needs the extra `battery`")


async def test_a_child_process_writes_a_document() -> None:
    async with ChildrenOnDemand(Settings()) as children:
        exporter = Exporter(Settings(), children)
        charged: list[float] = []
        found = await exporter.bpx({"a [m]": 1.5, "text": "b"}, "Cell", charged.append)
        assert charged[0] == 0.0 < charged[1]
        assert found["document"]["Parameterisation"] == {"User-defined": {"a [m]": 1.5}}
        assert "text" in {each["name"] for each in found["omitted"]}


@pytest.mark.parametrize(
    "result", [None, {}, {"document": 3, "omitted": []}, {"document": {}, "omitted": [{"name": 1}]}]
)
def test_another_answer_is_not_trusted(result: Any) -> None:
    with pytest.raises(RequestError):
        _checked({"kind": "result", "result": result})


async def test_uses_at_the_same_time_start_one_fork_server() -> None:
    async with ChildrenOnDemand(Settings()) as children:
        first, second = await asyncio.gather(children.start(), children.start())
        assert first is second


async def test_a_bulkhead_bounds_those_that_work_and_those_that_wait() -> None:
    bulkhead, leave = Bulkhead(1, 1, "Too many."), asyncio.Event()
    entered: list[int] = []

    async def work(number: int) -> None:
        async with bulkhead.place():
            entered.append(number)
            await leave.wait()

    tasks = [asyncio.create_task(work(number)) for number in range(2)]
    await asyncio.sleep(0)
    assert entered == [0]
    with pytest.raises(RequestError, match="Too many"):
        await work(2)
    leave.set()
    await asyncio.gather(*tasks)
    assert entered == [0, 1]
    await work(3)
