"""Subscription to one pipeline: its newest states in order, always including the last one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.database import changes as events
from app.database.writes.mutations import run_in
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.service import next_timestamp
from tests.api import operation
from tests.schema.subscriptions.clients import WATCH, Live, Socket, socket, stream


async def statuses(watcher: Socket) -> list[str]:
    """Return all states until the subscription completes."""
    seen = []
    while (message := await watcher.receive())["type"] == "next":
        seen.append(message["payload"]["data"]["pipelineUpdated"]["status"])
    assert message == {"type": "complete", "id": "1"}
    return seen


async def test_begins_with_the_state_now_and_completes_after_the_terminal_one(each_live: Live) -> None:
    id = (await each_live.api.create(name="watched"))["id"]
    async with socket(each_live.url) as watcher:
        await watcher.subscribe(WATCH, id=id)
        assert await watcher.next() == {"id": id, "name": "watched", "status": "PENDING"}
        await each_live.move(id, PipelineStatus.RUNNING)
        assert (await watcher.next())["status"] == "RUNNING"
        await each_live.move(id, PipelineStatus.COMPLETED)
        assert await statuses(watcher) == ["COMPLETED"]


async def test_is_told_of_what_the_api_changes(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    async with socket(each_live.url) as watcher:
        await watcher.subscribe(WATCH, id=id)
        await watcher.next()
        await each_live.api.run("UpdatePipeline", id=id, input={"name": "renamed"})
        assert (await watcher.next())["name"] == "renamed"


async def test_of_a_terminal_pipeline_is_its_state_and_no_more(live: Live) -> None:
    id = (await live.api.create())["id"]
    await live.move(id, PipelineStatus.FAILED)
    async with socket(live.url) as watcher:
        await watcher.subscribe(WATCH, id=id)
        assert await statuses(watcher) == ["FAILED"]


async def test_completes_when_the_pipeline_is_deleted(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    async with socket(each_live.url) as watcher:
        await watcher.subscribe(WATCH, id=id)
        await watcher.next()
        await each_live.api.run("DeletePipeline", id=id)
        assert await statuses(watcher) == []


async def test_of_an_unknown_id_is_an_error_with_a_code(live: Live, socket: Socket) -> None:
    await socket.subscribe(WATCH, id="nothing")
    message = await socket.receive()
    assert message["type"] == "error"
    assert [error["extensions"]["code"] for error in message["payload"]] == ["NOT_FOUND"]
    async with stream(live.http, WATCH, id="nothing") as events:
        kind, result = await events.next()
        assert kind == "next"
        assert "data" not in result
        assert result["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert await events.next() == ("complete", None)


async def test_many_quick_changes_end_with_the_terminal_state_and_never_go_back(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    query = "subscription ($id: ID!) { pipelineUpdated(id: $id) { name status updatedAt } }"
    async with socket(each_live.url) as watcher:
        await watcher.subscribe(query, id=id)
        await watcher.next()

        async def hurry() -> None:
            for number in range(100):
                await each_live.api.run("UpdatePipeline", id=id, input={"name": str(number)})
            await each_live.move(id, PipelineStatus.CANCELED)

        writing = asyncio.create_task(hurry())
        states: list[dict[str, Any]] = []
        while (message := await watcher.receive())["type"] == "next":
            states.append(message["payload"]["data"]["pipelineUpdated"])
        await writing
    times = [state["updatedAt"] for state in states]
    assert times == sorted(set(times))
    assert states[-1]["status"] == "CANCELED"
    assert states[-1]["name"] == "99"


async def test_the_terminal_state_is_never_missed_however_it_meets_the_subscription(each_live: Live) -> None:
    ids = [(await each_live.api.create())["id"] for _ in range(30)]
    async with socket(each_live.url) as watcher:
        for key, id in enumerate(ids):
            await watcher.subscribe(WATCH, str(key), id=id)
        for id in ids:
            await each_live.move(id, PipelineStatus.COMPLETED)
        last: dict[str, str] = {}
        complete = 0
        while complete < len(ids):
            message = await watcher.receive()
            if message["type"] == "complete":
                complete += 1
            else:
                last[message["id"]] = message["payload"]["data"]["pipelineUpdated"]["status"]
    assert last == {str(key): "COMPLETED" for key in range(len(ids))}


async def test_what_is_rolled_back_is_not_told(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]

    async def fail(session: Any) -> None:
        pipeline = await session.get_one(Pipeline, id)
        before = events.take_snapshot(pipeline)
        pipeline.updated_at = next_timestamp(pipeline.updated_at)
        await run_in(session, events.record_change(pipeline, before))
        raise RuntimeError("no")

    async with socket(each_live.url) as watcher:
        await watcher.subscribe(WATCH, id=id)
        await watcher.next()
        with pytest.raises(RuntimeError):
            await each_live.database.write(fail)
        await each_live.move(id, PipelineStatus.COMPLETED)
        assert await statuses(watcher) == ["COMPLETED"]


async def test_every_event_reads_the_elements_anew(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    async with socket(each_live.url) as watcher:
        await watcher.subscribe(operation("PipelineUpdated"), id=id)
        assert [element["name"] for element in (await watcher.next())["elements"]] == ["known"]
        elements = [{"name": "new", "elementType": "CALCULATION", "jobConfig": {}}]
        await each_live.api.run("UpdatePipeline", id=id, input={"elements": elements})
        assert [element["name"] for element in (await watcher.next())["elements"]] == ["new"]


async def test_many_watchers_of_one_pipeline_hear_the_same(live: Live) -> None:
    id = (await live.api.create())["id"]
    async with socket(live.url) as watcher:
        for key in range(50):
            await watcher.subscribe(WATCH, str(key), id=id)
            await watcher.next(str(key))
        await live.move(id, PipelineStatus.COMPLETED)
        heard = [await watcher.receive() for _ in range(100)]
    assert sum(message["type"] == "complete" for message in heard) == 50
    assert {m["payload"]["data"]["pipelineUpdated"]["status"] for m in heard if m["type"] == "next"} == {"COMPLETED"}
