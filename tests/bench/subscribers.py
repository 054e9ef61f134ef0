"""Many equal subscribers, each with a WebSocket of its own: when the last one hears of a change, and their memory."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx

from tests import servers
from tests.bench.draining import CREATE
from tests.bench.load import HEADERS, load
from tests.bench.memory import megabytes
from tests.bench.report import Options, table, verdict
from tests.bench.running import sqlite
from tests.bench.works import WORKS
from tests.schema.subscriptions import clients

NUMBER, TOGETHER = 2_000, 50
"""Number of subscribers, and of those that connect at a time."""
DOCUMENT = "subscription { pipelinesUpdated { kind pipeline { id name status } } }"
MOST_LEFT = 1.2
SETTLE = 4.0
"""Seconds until the server has given memory back."""
PIPELINES = 1_000


def crowd(options: Options, folder: Path) -> str:
    """Measure a server that has just started, and one that has answered requests."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    rows = []
    for title, is_used in (("just started", False), ("in use", True)):
        with servers.serving(sqlite(folder, PIPELINES)) as server:
            if is_used:
                for work in WORKS.values():
                    load(server.url, work.ours, options.seconds, PIPELINES)
            time.sleep(SETTLE)
            memory = partial(megabytes, server.process.pid, "VmRSS")
            before = memory()
            heard, top = asyncio.run(_watch(server.url, memory))
            time.sleep(SETTLE)
            left = memory() / before
        each = (top - before) * 1024 / NUMBER
        rows.append(
            [
                title,
                f"{heard:.2f}",
                f"{each:.1f}",
                f"{left:.1%}",
                verdict(left <= MOST_LEFT, f"<= {MOST_LEFT:.0%}"),
            ]
        )
    heading = ["server", "last hears, s, with its client's time", "KiB each", "memory after they left", "target"]
    return table(heading, rows)


async def _watch(url: str, memory: Callable[[], float]) -> tuple[float, float]:
    """Open all subscriptions and create a pipeline. Return the seconds until the last one heard, and the memory then,
    in megabytes."""
    async with AsyncExitStack() as stack:
        sockets: list[clients.Socket] = []
        while len(sockets) < NUMBER:
            opening = (stack.enter_async_context(clients.socket(url, ping_interval=None)) for _ in range(TOGETHER))
            sockets += await asyncio.gather(*opening)
        for each in sockets:
            await each.subscribe(DOCUMENT)
        await asyncio.sleep(1)
        heard = asyncio.gather(*(each.next() for each in sockets))
        await asyncio.sleep(0)
        start = time.perf_counter()
        async with httpx.AsyncClient(base_url=url, headers=HEADERS) as http:
            (await http.post("/graphql", content=CREATE)).raise_for_status()
        await heard
        return time.perf_counter() - start, memory()
