"""Subscriptions of gql over WebSockets."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.api import operation
from tests.clients.python.graphql_client import (
    SOCKETS,
    client,
    gql,
    request,
)
from tests.servers import Server

Locked = tuple[Server, dict[str, str]]


async def started(session: Any, *fakes: dict[str, Any], **fields: Any) -> str:
    """Start a pipeline with instructions for the fake executor."""
    elements = [
        {"name": f"e{number}", "elementType": "DIRECT_ENTRY", "jobConfig": {"fake": each}}
        for number, each in enumerate(fakes)
    ]
    given = {"input": {"projectId": str(uuid4()), "elements": elements, **fields}}
    made = await session.execute(request(operation("CreatePipeline"), **given))
    id = str(made["createPipeline"]["pipeline"]["id"])
    await session.execute(request(operation("StartPipeline"), id=id))
    return id


@pytest.mark.parametrize("transport", SOCKETS)
async def test_a_run_is_watched_to_its_end(fake: Server, transport: str) -> None:
    async with client(transport, fake.url) as session:
        id = await started(session, {"seconds": 0.2}, {})
        watching = session.subscribe(request(operation("PipelineUpdated"), id=id))
        seen = [event["pipelineUpdated"] async for event in watching]
    assert seen[-1]["status"] == "COMPLETED"
    assert [element["status"] for element in seen[-1]["elements"]] == ["COMPLETED", "COMPLETED"]
    assert [event["isTerminal"] for event in seen] == [False] * (len(seen) - 1) + [True]


@pytest.mark.parametrize("transport", SOCKETS)
async def test_one_socket_asks_and_watches_at_once(fake: Server, transport: str) -> None:
    project = str(uuid4())
    watch = "subscription ($filter: PipelineFilter) { pipelinesUpdated(filter: $filter) { pipeline { id status } } }"
    async with client(transport, fake.url) as session:
        changes = session.subscribe(request(watch, filter={"projectId": project}))
        first = asyncio.create_task(anext(changes))
        await session.execute(request("{ viewer { email } }"))  # after the subscription has started
        id = await started(session, {}, projectId=project)
        seen = [(await first)["pipelinesUpdated"]["pipeline"]]
        while seen[-1]["status"] != "COMPLETED":
            seen.append((await anext(changes))["pipelinesUpdated"]["pipeline"])
        await changes.aclose()
    assert {each["id"] for each in seen} == {id}
    # A change is read when it is sent: on a busy machine the run may have begun by then.
    statuses = [each["status"] for each in seen]
    assert statuses == sorted(statuses, key=["PENDING", "RUNNING", "COMPLETED"].index)
    assert len(statuses) > 1


@pytest.mark.parametrize("transport", SOCKETS)
async def test_one_that_is_refused_is_raised(fake: Server, transport: str) -> None:
    async with client(transport, fake.url) as session:
        with pytest.raises(gql.transport.exceptions.TransportQueryError, match="pipelineZ"):
            await anext(session.subscribe(request("subscription { pipelineZ { id } }")))


@pytest.mark.parametrize("transport", SOCKETS)
async def test_a_key_in_the_first_message(locked: Locked, transport: str) -> None:
    server, keys = locked
    opening = client(transport, server.url, init_payload={"X-API-Key": keys["ours"]})
    async with opening as session:
        assert (await session.execute(request("{ viewer { organizationId } }")))["viewer"]["organizationId"] == "ours"
        assert await started(session, {})


@pytest.mark.parametrize("transport", ["aiohttp"])
async def test_as_parts_of_one_answer_they_are_refused(fake: Server, transport: str) -> None:
    async with client(transport, fake.url) as session:
        with pytest.raises(gql.transport.exceptions.TransportServerError, match="406"):
            await anext(session.subscribe(request("subscription { pipelinesUpdated { pipelineId } }")))
