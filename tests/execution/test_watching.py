"""Subscriptions to runs over WebSocket and SSE: states in order, including every final one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from tests.execution.conftest import Runs
from tests.schema.subscriptions import clients
from tests.servers import Server

WATCH = """subscription ($id: ID!) {
  pipelineUpdated(id: $id) { id status updatedAt progress { finished } elements { status } }
}"""
ORDER = ["PENDING", "RUNNING", "COMPLETED", "FAILED"]
PIPELINES = 100


def assert_in_order(seen: list[dict[str, Any]]) -> None:
    times = [state["updatedAt"] for state in seen]
    assert times == sorted(set(times))
    ranks = [min(ORDER.index(state["status"]), 2) for state in seen]
    assert ranks == sorted(ranks)
    finished = [state["progress"]["finished"] for state in seen]
    assert finished == sorted(finished)
    assert seen[-1]["status"] in ("COMPLETED", "FAILED")


@pytest.mark.slow
async def test_100_runs_are_watched_over_one_socket(runs: Runs, running: Server) -> None:
    ids = [await runs.make({"seconds": 0.05}, {"fail": "MODEL_ERROR"} if i % 10 == 0 else {}) for i in range(PIPELINES)]
    seen: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
    async with clients.socket(running.url) as socket:
        for id in ids:
            await socket.subscribe(WATCH, key=id, id=id)
        while not all(seen.values()):
            message = await socket.receive()
            seen[message["id"]].append(message["payload"]["data"]["pipelineUpdated"])
        starting = asyncio.create_task(start_all(runs, ids))
        open_ = set(ids)
        while open_:
            message = await socket.receive()
            if message["type"] == "complete":
                open_.remove(message["id"])
            else:
                seen[message["id"]].append(message["payload"]["data"]["pipelineUpdated"])
        await starting
    for states in seen.values():
        assert states[0]["status"] == "PENDING"
        assert_in_order(states)
    assert sum(states[-1]["status"] == "FAILED" for states in seen.values()) == PIPELINES / 10


@pytest.mark.slow
async def test_runs_are_watched_over_server_sent_events(runs: Runs, running: Server) -> None:
    ids = [await runs.make({"seconds": 0.05}, {}) for _ in range(PIPELINES)]
    limits = httpx.Limits(max_connections=PIPELINES)
    async with httpx.AsyncClient(base_url=running.url, timeout=60, limits=limits) as http:
        watching = [asyncio.create_task(watch(http, id)) for id in ids]
        await start_all(runs, ids)
        for states in await asyncio.gather(*watching):
            assert_in_order(states)
            assert states[-1]["status"] == "COMPLETED"


async def watch(http: httpx.AsyncClient, id: str) -> list[dict[str, Any]]:
    """Return every state of a pipeline until the stream completes."""
    seen = []
    async with clients.stream(http, WATCH, id=id) as events:
        async for line in events.lines:
            if line == "event: complete":
                break
            if line.startswith("data: "):
                seen.append(orjson.loads(line.removeprefix("data: "))["data"]["pipelineUpdated"])
    return seen


async def start_all(runs: Runs, ids: list[str]) -> None:
    for id in ids:
        await runs.run("StartPipeline", id=id)


async def test_checkpoints_count_as_changes(runs: Runs, running: Server) -> None:
    query = """subscription ($id: ID!) {
      pipelineUpdated(id: $id) { isTerminal elements { job { progress { iteration } } } }
    }"""
    id = await runs.make({"steps": 40, "seconds": 3.5}, kind="DATA_FIT")
    iterations: list[int] = []
    async with clients.socket(running.url) as socket:
        await socket.subscribe(query, id=id)
        await runs.run("StartPipeline", id=id)
        while not (state := await socket.next())["isTerminal"]:
            job = state["elements"][0]["job"]
            if job and job["progress"]:
                iterations.append(job["progress"]["iteration"])
    assert iterations == sorted(iterations)
    assert len(set(iterations)) >= 3


@pytest.mark.parametrize("operation", ["StartPipeline", "CancelPipeline"])
async def test_a_mutation_works_over_a_socket_too(runs: Runs, running: Server, operation: str) -> None:
    id = await runs.make({})
    async with clients.socket(running.url) as socket:
        name = operation[0].lower() + operation[1:]
        await socket.subscribe(f"mutation ($id: ID!) {{ {name}(id: $id) {{ userErrors {{ code }} }} }}", id=id)
        assert await socket.next() == {"userErrors": []}
        assert (await socket.receive())["type"] == "complete"
