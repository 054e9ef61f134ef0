"""Subscription to all pipelines that match a filter."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.models.enums import PipelineStatus
from tests.schema.subscriptions.clients import FOLLOW, Live, Socket, socket


def told(kind: str, id: str, name: str, status: str = "PENDING") -> dict[str, Any]:
    """Event of a pipeline that exists."""
    return {"kind": kind, "pipelineId": id, "pipeline": {"name": name, "status": status}}


async def follow(follower: Socket, **filter: Any) -> None:
    await follower.subscribe(FOLLOW, filter=filter or None)
    await follower.settle()


async def test_tells_what_is_created_changed_and_deleted_from_now_on(each_live: Live) -> None:
    old = (await each_live.api.create(name="old"))["id"]
    async with socket(each_live.url) as follower:
        await follow(follower)
        id = (await each_live.api.create(name="new"))["id"]
        assert await follower.next() == told("ENTERED", id, "new")
        await each_live.api.run("UpdatePipeline", id=old, input={"name": "changed"})
        assert await follower.next() == told("CHANGED", old, "changed")
        copy = (await each_live.api.run("DuplicatePipeline", id=id))["pipeline"]["id"]
        assert await follower.next() == told("ENTERED", copy, "new (copy)")
        await each_live.api.run("DeletePipeline", id=id)
        assert await follower.next() == {"kind": "DELETED", "pipelineId": id, "pipeline": None}


async def test_tells_what_matches_after_a_change_or_did_before_it(each_live: Live) -> None:
    id = (await each_live.api.create(name="in between"))["id"]
    other = (await each_live.api.create(name="never"))["id"]
    async with socket(each_live.url) as follower:
        await follow(follower, statuses=["RUNNING"])
        await each_live.move(other, PipelineStatus.FAILED)
        await each_live.move(id, PipelineStatus.RUNNING)
        assert await follower.next() == told("ENTERED", id, "in between", "RUNNING")
        await each_live.move(id, PipelineStatus.COMPLETED)
        assert await follower.next() == told("LEFT", id, "in between", "COMPLETED")
        await each_live.api.run("UpdatePipeline", id=id, input={"name": "no more"})
        await each_live.move(id, PipelineStatus.RUNNING)  # unlike any run: it shows that no other event came between
        assert await follower.next() == told("ENTERED", id, "no more", "RUNNING")


async def test_elements_that_are_replaced_count_before_and_after(each_live: Live) -> None:
    id = (await each_live.api.create(name="p"))["id"]

    async def replace(type: str) -> None:
        elements = [{"name": "one", "elementType": type, "jobConfig": {}}]
        await each_live.api.run("UpdatePipeline", id=id, input={"elements": elements})

    async with socket(each_live.url) as follower:
        await follow(follower, elementTypes=["DATA_FIT"])
        await replace("CALCULATION")
        await replace("DATA_FIT")
        assert await follower.next() == told("ENTERED", id, "p")
        await replace("CALCULATION")
        assert await follower.next() == told("LEFT", id, "p")
        await replace("VALIDATION")
        await each_live.api.run("DeletePipeline", id=id)
        await follower.settle()


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"projectId": "b"}, {"Straße"}),
        ({"nameContains": "STRASSE"}, {"Straße"}),
        ({"nameContains": "%"}, {"100%"}),
        ({"elementTypes": ["DIRECT_ENTRY"], "projectId": "a"}, {"100%", "plain"}),
        ({"statuses": []}, set()),
        ({"createdAfter": "2100-01-01T00:00:00Z"}, set()),
    ],
)
async def test_filters_as_lists_do(live: Live, socket: Socket, filter: dict[str, Any], expected: set[str]) -> None:
    await follow(socket, **filter)
    await socket.subscribe(FOLLOW, "all", filter={"nameContains": "the last"})
    await socket.settle()
    for project, name in (("a", "100%"), ("b", "Straße"), ("a", "plain"), ("z", "the last")):
        await live.api.create(projectId=project, name=name)
    seen = set()
    while (message := await socket.receive())["id"] != "all":
        seen.add(message["payload"]["data"]["pipelinesUpdated"]["pipeline"]["name"])
    listed = await live.api.data(
        "query ($filter: PipelineFilter) { pipelines(filter: $filter) { nodes { name } } }", filter=filter
    )
    assert seen == expected == {node["name"] for node in listed["pipelines"]["nodes"]}


async def test_a_follower_that_does_not_read_keeps_nobody_from_writing_and_hears_the_newest(live: Live) -> None:
    ids = [(await live.api.create(description="d" * 10_000))["id"] for _ in range(10)]
    query = "subscription { pipelinesUpdated { pipelineId pipeline { name description status } } }"
    async with socket(live.url, max_queue=1) as follower:
        await follower.subscribe(query)
        await follower.settle()
        for number in range(30):
            await asyncio.gather(*(live.api.run("UpdatePipeline", id=id, input={"name": str(number)}) for id in ids))
        for id in ids:
            await live.move(id, PipelineStatus.COMPLETED)
        newest: dict[str, tuple[str, str]] = {}
        heard = 0
        while set(newest.values()) != {("29", "COMPLETED")} or len(newest) < len(ids):
            change = await follower.next()
            heard += 1
            newest[change["pipelineId"]] = change["pipeline"]["name"], change["pipeline"]["status"]
    assert heard <= 10 * 32
