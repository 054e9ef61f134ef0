"""Memory of idle subscriptions."""

from __future__ import annotations

import subprocess
from contextlib import AsyncExitStack

import httpx

from tests import servers
from tests.api import Api
from tests.schema.subscriptions.clients import FOLLOW, WATCH, socket, stream

MANY = 1000


def megabytes(process: subprocess.Popen[str]) -> float:
    """Return the resident memory of a process."""
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(process.pid)])) / 1024


async def warmed_up(api: Api, url: str) -> str:
    """Server after a warm-up, with the id of a pipeline."""
    id: str = (await api.create())["id"]
    for _ in range(50):
        await api.run("Pipeline", id=id)
    async with socket(url) as client:
        await client.subscribe(WATCH, id=id)
        await client.next()
    async with stream(api.http, WATCH, id=id) as events:
        await events.data()
    return id


async def test_a_thousand_idle_sockets_take_less_than_50_megabytes(server: servers.Server) -> None:
    async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        id = await warmed_up(Api(http), server.url)
        before = megabytes(server.process)
        for number in range(MANY):
            client = await stack.enter_async_context(socket(server.url, ping_interval=None))
            if number % 2:
                await client.subscribe(FOLLOW)
            else:
                await client.subscribe(WATCH, id=id)
                await client.next()
        grown = megabytes(server.process) - before
    print(f"{MANY} idle sockets: {grown:.1f} MB")  # noqa: T201  shown by pytest -s
    assert grown < 50


async def test_a_thousand_idle_event_streams_take_less_than_50_megabytes(server: servers.Server) -> None:
    limits = httpx.Limits(max_connections=None)
    async with (
        AsyncExitStack() as stack,
        httpx.AsyncClient(base_url=server.url, trust_env=False, limits=limits) as http,
    ):
        id = await warmed_up(Api(http), server.url)
        before = megabytes(server.process)
        opened = [await stack.enter_async_context(stream(http, WATCH, id=id)) for _ in range(MANY)]
        for events in opened:
            await events.data()
        grown = megabytes(server.process) - before
    print(f"{MANY} idle event streams: {grown:.1f} MB")  # noqa: T201
    assert grown < 50
