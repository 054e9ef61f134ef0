"""Slow clients delay only themselves."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.attack import Attack, strike
from tests.attacks.conftest import Target
from tests.attacks.requests import HEAD, QUERY

CLIENTS = 200
STALL = 50.0

HALVES = {
    "half a head": HEAD,
    "a head without its body": HEAD + b"content-length: 26\r\n\r\n",
    "half a body": HEAD + b"content-length: 26\r\n\r\n" + QUERY[:10],
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n1a\r\n" + QUERY[:10],
}


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES)
async def test_200_clients_that_send_half_a_request_keep_nobody_waiting(target: Target, half: str) -> None:
    connections = [await asyncio.open_connection("127.0.0.1", target.port) for _ in range(CLIENTS)]
    for _, writer in connections:
        writer.write(HALVES[half])
    await target.stall()
    for _ in range(20):
        assert (await target.http.get("/pipelines")).status_code == 200
    assert await target.stall() < STALL
    for _, writer in connections:
        writer.transport.abort()
    assert (await target.http.get("/pipelines")).status_code == 200


async def test_a_body_of_a_byte_at_a_time_is_given_up_in_time(target: Target) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    writer.write(HALVES["a head without its body"])
    answer = asyncio.create_task(reader.readline())
    async with asyncio.timeout(5):
        while not answer.done():
            writer.write(b" ")
            await asyncio.wait([answer], timeout=0.1)
    assert answer.result().split()[1] == b"408"
    writer.transport.abort()


async def test_who_leaves_in_the_middle_costs_nothing(target: Target) -> None:
    for raw in HALVES.values():
        _, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(raw)
        await writer.drain()
        writer.transport.abort()
    assert await strike(target.port, Attack("", HEAD + b"content-length: 26\r\n\r\n" + QUERY, 26)) == 200
