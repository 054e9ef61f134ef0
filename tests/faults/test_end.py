"""A server that is told to end answers what it was asked, and closes the rest in order."""

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
    """Clients at work on connections that they keep."""

    history: History = field(default_factory=History)
    cut: list[Exception] = field(default_factory=list)
    """Errors of clients that waited for a response."""

    async def work(self, http: httpx.AsyncClient) -> None:
        while True:
            try:
                await self.history.create(http)
            except httpx.ConnectError:
                return  # nobody listens any more: nothing was asked
            except httpx.TransportError as error:
                self.cut.append(error)
                return


@pytest.mark.slow
@pytest.mark.parametrize(("delay", "stall"), [(0, 0), (1, 0), (1, 0.4)])
async def test_nobody_who_waits_is_cut_off(sqlite_url: str, delay: float, stall: float) -> None:
    """Also not clients that stand still for a moment as the server takes no more connections."""
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
    """Tell a server to end while clients work and listen."""
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
    """Until a stream is at its end, which is none that was cut off, and not told as complete: clients come again."""
    async with asyncio.timeout(10):
        assert "event: complete" not in [line async for line in events.lines]
