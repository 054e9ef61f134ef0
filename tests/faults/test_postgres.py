"""PostgreSQL server that is stopped or suspended for ten seconds: the outage has no further effects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import asyncpg
import httpx
import pytest

from tests.execution.conftest import FAKE, Runs
from tests.faults.creating import History, client, creators, says, until_ready
from tests.faults.postgres import frozen, stopped
from tests.faults.waiting import told, until
from tests.schema.subscriptions.clients import FOLLOW, Socket, socket
from tests.servers import Postgres, postgres, serving

OUTAGE = 10.0
TIMEOUT = 4.0
MARGIN = 2.0
"""Seconds within which a server under load must report timeouts."""
CREATORS, INSISTING, ENOUGH = 12, 6, 100


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """PostgreSQL server for this test only."""
    with postgres(durable=True) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parallel
@pytest.mark.parametrize("outage", [frozen, stopped])
async def test_an_outage_loses_and_doubles_nothing(
    own: Postgres, outage: Callable[[Postgres], AbstractContextManager[None]]
) -> None:
    url, history = own.new_database(), History()
    with serving(url, **FAKE, VOLTGRAPH_REQUEST_TIMEOUT=str(TIMEOUT)) as server:
        async with client(server.url) as http, socket(server.url) as follower:
            runs = Runs(http)
            ids = [await runs.start({}, {"seconds": 3}, {}) for _ in range(6)]
            await runs.at_work(ids[0])
            await follower.subscribe(FOLLOW)
            async with creators(server.url, history, CREATORS, INSISTING):
                await until(lambda: len(history.acknowledged) >= ENOUGH, 10)
                with outage(own):
                    await without(http)
                ready = await until_ready(http)
                before = len(history.acknowledged)
                await until(lambda: len(history.acknowledged) >= before + ENOUGH, 10)
            ended = [await runs.end(id, 60) for id in ids]
            await hears(follower, (await runs.create(name="the last"))["name"])
    assert {pipeline["status"] for pipeline in ended} == {"COMPLETED"}
    # A stored pipeline that cannot be read for the response gives a partial one: status 200, as GraphQL defines it.
    # On a busy machine a body may arrive late, too: status 408, and nothing is begun.
    late = {(503, "TIMEOUT"), (408, "REQUEST_TIMEOUT")}
    assert set(history.refused) <= {(503, "UNAVAILABLE"), (503, "BUSY"), (200, "UNAVAILABLE")} | late
    assert history.slowest < TIMEOUT + MARGIN
    kept = await rows(url)
    history.check({name: row for name, row in kept.items() if name in history.acknowledged.keys() | history.unanswered})
    assert len(kept) <= len(history.acknowledged) + len(history.unanswered) + len(ids) + 1
    told(
        f"{outage.__name__}: ready after {ready:.2f} s, {len(history.acknowledged)} acknowledged, "
        f"{len(history.refused)} refused, slowest answer {history.slowest:.2f} s"
    )


async def without(http: httpx.AsyncClient) -> None:
    """Return the responses of a server while its database is unavailable."""
    over = asyncio.create_task(asyncio.sleep(OUTAGE))
    await until(lambda: says(http, "/readyz", 503), OUTAGE)
    while not over.done():
        assert await says(http, "/livez", 200)
        for path in ("/pipelines", "/pipelines/none", "/jobs/"):
            async with asyncio.timeout(TIMEOUT + MARGIN):
                assert over.done() or (await http.get(path)).status_code == 503
        await asyncio.sleep(0.1)


async def hears(follower: Socket, name: str) -> None:
    """Wait until an earlier subscription reports a pipeline."""
    async with asyncio.timeout(10):
        while (await follower.next())["pipeline"]["name"] != name:
            pass


async def rows(url: str) -> dict[str, tuple[str, int]]:
    """Return the id and the number of elements of each pipeline, by name."""
    connection = await asyncpg.connect(url)
    query = "SELECT name, id, (SELECT count(*) FROM pipeline_element WHERE pipeline_id = p.id) FROM pipeline p"
    found = [tuple(row) for row in await connection.fetch(query) if row[0].startswith("pipeline ")]
    await connection.close()
    kept = {name: (id, elements) for name, id, elements in found}
    assert len(kept) == len(found), "a pipeline is there twice"
    return kept
