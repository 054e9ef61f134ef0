"""Shutdown: the server answers pending requests and closes all connections in order."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import sleep

import httpx
import pytest

from tests.faults.creating import History, client, says, stored
from tests.faults.waiting import told, until
from tests.schema.subscriptions.clients import FOLLOW, Events, socket, stream
from tests.servers import Server, serving

CLIENTS, FOLLOWERS, ROUNDS = 16, 4, 3
RESTARTS = 1012
"""Close code of a WebSocket at shutdown: https://www.iana.org/assignments/websocket/websocket.xhtml"""


@dataclass
class Load:
    """Clients that send requests on kept-alive connections."""

    history: History = field(default_factory=History)
    cut: list[Exception] = field(default_factory=list)
    """Errors of clients that waited for a response."""

    async def work(self, http: httpx.AsyncClient) -> None:
        while True:
            try:
                await self.history.create(http)
            except httpx.ConnectError:
                return  # the server does not listen any more: no request was sent
            except httpx.TransportError as error:
                self.cut.append(error)
                return


@pytest.mark.slow
@pytest.mark.parametrize(("delay", "stall"), [(0, 0), (1, 0), (1, 0.4)])
async def test_nobody_who_waits_is_cut_off(sqlite_url: str, delay: float, stall: float) -> None:
    """Includes clients that pause while the server stops accepting connections."""
    load = Load()
    for _ in range(ROUNDS):
        with serving(sqlite_url, VOLTGRAPH_DRAIN_DELAY=str(delay)) as server:
            await end_under(load, server, delay, stall)
    assert load.cut == []
    assert load.history.refused == []
    kept = stored(sqlite_url)
    load.history.check(kept)
    assert kept.keys() == load.history.acknowledged.keys()
    told(f"{ROUNDS} ends, delay {delay} s, stall {stall} s: {len(kept)} acknowledged, none cut off")


async def end_under(load: Load, server: Server, delay: float, stall: float) -> None:
    """Shut a server down while clients send requests and subscribe."""
    before = len(load.history.acknowledged)
    async with AsyncExitStack() as stack, client(server.url) as http, asyncio.TaskGroup() as group:
        sockets = [await stack.enter_async_context(socket(server.url)) for _ in range(FOLLOWERS)]
        streams = [await stack.enter_async_context(stream(http, FOLLOW)) for _ in range(FOLLOWERS)]
        for each in sockets:
            await each.subscribe(FOLLOW)
        for _ in range(CLIENTS):
            group.create_task(load.work(http))
        await until(lambda: len(load.history.acknowledged) > before + CLIENTS, 10)
        server.process.send_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(delay, sleep, stall)
        if delay:
            async with client(server.url) as other:
                await until(lambda: says(other, "/readyz", 503), delay)
        for each in sockets:
            assert (await each.closed())[0] == RESTARTS
        for open_ in streams:
            await drained(open_)
    assert await asyncio.to_thread(server.process.wait, 10) in (0, -signal.SIGTERM)


async def drained(events: Events) -> None:
    """Read a stream to its end, which is neither aborted nor `complete`: clients reconnect."""
    async with asyncio.timeout(10):
        assert "event: complete" not in [line async for line in events.lines]
