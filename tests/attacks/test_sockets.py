"""Malicious WebSocket messages: none makes the server fail or delays other clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from tests.attacks.conftest import Target
from tests.schema.subscriptions.clients import FOLLOW, Socket, socket

INIT = {"type": "connection_init"}
QUERY = {"query": "{ __typename }"}
STALL = 50.0


def subscribe(id: Any, payload: Any = QUERY) -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": payload}


BEFORE: dict[str, tuple[Any, int]] = {
    "binary": (b"\0\1", 4400),
    "no JSON": ("{", 4400),
    "a list": ("[]", 4400),
    "a number": ("7", 4400),
    "null": ("null", 4400),
    "nothing": ("", 4400),
    "NUL": ("\0", 4400),
    "deep": ("[" * 100_000, 1009),
    "many lists": ("[" + "[]," * 200_000 + "[]]", 1009),
    "without a type": ({}, 4400),
    "unknown type": ({"type": "connection_terminate"}, 4400),
    "type of 1 MB": ({"type": "x" * 10**6}, 1009),
    "type that is no text": ({"type": {}}, 4400),
    "payload that is no object": ({**INIT, "payload": [1]}, 4400),
    "subscribe before init": (subscribe("1"), 4401),
    "equal keys": ('{"type":"ping","type":"pong"}', 4400),
    "17 MB": ("x" * 17 * 10**6, 1009),
}
AFTER: dict[str, tuple[list[Any], int]] = {
    "init twice": ([INIT], 4429),
    "no id": ([subscribe("")], 4400),
    "id that is no text": ([subscribe(7)], 4400),
    "payload that is no request": ([subscribe("1", [])], 4400),
    "query that is no text": ([subscribe("1", {"query": 7})], 4400),
    "an id twice": ([subscribe("1", {"query": FOLLOW})] * 2, 4409),
}


@pytest.mark.parametrize("message", BEFORE)
async def test_what_is_no_message_closes_its_socket(target: Target, message: str) -> None:
    sent, code = BEFORE[message]
    await target.stall()
    async with socket(target.server.url, ready=False, max_size=None) as client:
        with suppress(ConnectionClosed):  # before the whole message was sent
            await client.send(sent)
        assert (await client.closed())[0] == code
    assert await target.stall() < STALL


@pytest.mark.parametrize("messages", AFTER)
async def test_who_breaks_the_protocol_is_told_how(target: Target, messages: str) -> None:
    sent, code = AFTER[messages]
    async with socket(target.server.url) as client:
        for each in sent:
            await client.send(each)
        assert (await client.closed())[0] == code


async def pings(client: Socket) -> None:
    for _ in range(20_000):
        await client.send('{"type":"ping"}')


async def operations(client: Socket) -> None:
    for number in range(3_000):
        await client.send(subscribe(str(number), {"query": FOLLOW}))


async def unknown_completes(client: Socket) -> None:
    for number in range(20_000):
        await client.send({"type": "complete", "id": str(number)})


async def large_answers(client: Socket) -> None:
    """Introspection results of 100 KB each, which the client never reads."""
    for number in range(2_000):
        query = "{ __schema { types { description fields { description args { description } } } } }"
        await client.send(subscribe(str(number), {"query": query}))


@pytest.mark.slow
@pytest.mark.parametrize("flood", [pings, operations, unknown_completes, large_answers])
async def test_a_flood_of_messages_whose_answers_nobody_reads_holds_up_nobody(
    target: Target, flood: Callable[[Socket], Any]
) -> None:
    memory = target.memory
    async with socket(target.server.url, max_queue=1) as client:
        flooding = asyncio.create_task(flood(client))
        await target.stall()
        stalls = []
        for _ in range(20):
            await asyncio.sleep(0.1)
            assert (await target.http.get("/pipelines")).status_code == 200
            stalls.append(await target.stall())
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        client.connection.transport.abort()
    assert sorted(stalls)[len(stalls) // 2] < STALL
    assert target.memory - memory < 200 * 2**20


async def test_fragments_of_a_message_may_be_many(target: Target) -> None:
    async def fragments() -> Any:
        yield '{"type":"ping","payload":{"a":"'
        for _ in range(20_000):
            yield "x"
        yield '"}}'

    async with socket(target.server.url) as client:
        await client.connection.send(fragments())
        assert len(orjson.dumps(await client.receive())) > 20_000


async def test_bytes_that_are_no_frame_close_the_socket(target: Target) -> None:
    async with socket(target.server.url) as client:
        client.connection.transport.write(b"\xff" * 1000)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await client.connection.recv()
    assert (await target.http.get("/livez")).status_code == 200
