"""Creates with idempotency keys are executed once, despite retries and crashes of the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from tests.faults.creating import by_graphql, by_rest, client, stored
from tests.faults.waiting import told
from tests.servers import serving

TIMES = 50
Ask = Callable[[httpx.AsyncClient, str, str | None], Coroutine[Any, Any, httpx.Response]]


@pytest.mark.parametrize(
    "rounds",
    [
        1,
        pytest.param(3, marks=[pytest.mark.slow, pytest.mark.parallel]),
        pytest.param(10, marks=[pytest.mark.slow, pytest.mark.parallel, pytest.mark.long]),
    ],
)
@pytest.mark.parametrize("ask", [by_graphql, by_rest])
async def test_50_at_once_and_over_a_kill_make_one(sqlite_url: str, ask: Ask, rounds: int) -> None:
    dice, answered = random.Random(3), 0
    for round_ in range(rounds):
        name, key = f"pipeline {round_}", f"key {round_}"
        found: list[dict[str, Any]] = []
        with serving(sqlite_url) as server:
            async with client(server.url) as http:
                asking = [asyncio.create_task(ask(http, name, key)) for _ in range(TIMES)]
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=dice.uniform(0, 0.5))
                server.process.kill()
                server.process.wait()
                outcomes = await asyncio.gather(*asking, return_exceptions=True)
        found += [created(each) for each in outcomes if not isinstance(each, BaseException)]
        answered += len(found)
        with serving(sqlite_url) as server:
            async with client(server.url) as http:
                found += map(created, await asyncio.gather(*(ask(http, name, key) for _ in range(TIMES))))
        assert all(each == found[0] for each in found)
        assert stored(sqlite_url)[name] == (found[0]["id"], len(found[0]["elements"]))
    assert len(stored(sqlite_url)) == rounds
    told(f"{rounds} kills under {TIMES} equal creates, {answered} of them answered before")


def created(answer: httpx.Response) -> dict[str, Any]:
    """Return the pipeline in a response."""
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    pipeline: dict[str, Any] = body["data"]["createPipeline"]["pipeline"] if "data" in body else body
    return pipeline
