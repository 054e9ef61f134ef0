"""Changes of other processes on PostgreSQL, also after the LISTEN connection was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.postgres.listener import Listener
from app.models.enums import PipelineStatus
from tests import servers
from tests.faults.waiting import until
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, WATCH, Live, move, socket, stream


@pytest.fixture
def url(postgres: servers.Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
async def live(url: str) -> AsyncIterator[Live]:
    async with clients.live(url) as running:
        yield running


@pytest.fixture
async def other(url: str) -> AsyncIterator[Database]:
    """Actions of another process on the same database."""
    async with open_database(parsed(url), 100) as database:
        yield database


@asynccontextmanager
async def outage(url: str) -> AsyncIterator[None]:
    """Close the LISTEN connections, and refuse new ones within the context."""
    name = make_url(url).database
    connection: Any = await asyncpg.connect(
        make_url(url).set(database="postgres").render_as_string(hide_password=False)
    )
    listens = "datname = $1 AND query ILIKE 'LISTEN%'"

    async def one_listens() -> bool:
        """Return whether one connection listens, as for any number of subscribers."""
        count = await connection.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {listens}", name)
        return bool(count == 1)

    await until(one_listens, 20)  # a subscription without a first answer may begin later than `settle` ends
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listens}", name)
    yield
    await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await connection.close()


async def test_hears_of_what_another_process_commits(live: Live, other: Database) -> None:
    id = (await live.api.create())["id"]
    async with socket(live.url) as client:
        await client.subscribe(WATCH, id=id)
        await client.next()
        await move(other, id, PipelineStatus.RUNNING)
        assert (await client.next())["status"] == "RUNNING"


@pytest.fixture
def _connects_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Listener._connection

    @asynccontextmanager
    async def connect_slowly(listener: Listener) -> AsyncIterator[tuple[Any, asyncio.Event]]:
        async with connect(listener) as connection:
            await asyncio.sleep(0.3)
            yield connection

    monkeypatch.setattr(Listener, "_connection", connect_slowly)


@pytest.mark.usefixtures("_connects_slowly")
async def test_whoever_sees_the_headers_of_a_stream_misses_no_change(live: Live, other: Database) -> None:
    id = (await live.api.create())["id"]
    async with stream(live.http, FOLLOW) as events:
        await move(other, id, PipelineStatus.RUNNING)
        assert (await events.data())["pipelineId"] == id


@pytest.mark.usefixtures("_connects_slowly")
async def test_whoever_gets_a_pong_after_a_subscribe_misses_no_change(live: Live, other: Database) -> None:
    id = (await live.api.create())["id"]
    async with socket(live.url) as client:
        await client.subscribe(FOLLOW)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        await move(other, id, PipelineStatus.RUNNING)
        assert (await client.next())["pipelineId"] == id


async def test_whoever_watched_a_pipeline_gets_what_an_outage_hid(live: Live, other: Database, url: str) -> None:
    id = (await live.api.create())["id"]
    await move(other, id, PipelineStatus.RUNNING)  # so that it holds a connection
    async with socket(live.url) as client:
        await client.subscribe(WATCH, id=id)
        assert (await client.next())["status"] == "RUNNING"
        async with outage(url):
            await move(other, id, PipelineStatus.COMPLETED)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.connection.recv(), 0.3)
        assert (await client.next())["status"] == "COMPLETED"
        assert await client.receive() == {"type": "complete", "id": "1"}


async def test_whoever_follows_gets_all_that_may_have_matched_in_an_outage(
    live: Live, other: Database, url: str
) -> None:
    running = (await live.api.create(projectId="ours", name="running"))["id"]
    await live.api.create(projectId="theirs", name="not ours")
    await move(other, running, PipelineStatus.RUNNING)
    async with socket(live.url) as client:
        await client.subscribe(FOLLOW, filter={"projectId": "ours", "statuses": ["RUNNING"]})
        await client.settle()
        async with outage(url):
            await move(other, running, PipelineStatus.COMPLETED)
        assert await client.next() == {
            "kind": "LEFT",
            "pipelineId": running,
            "pipeline": {"name": "running", "status": "COMPLETED"},
        }
        await client.settle()  # and of no other pipeline


async def test_a_connection_that_is_cut_at_the_moment_of_a_change_comes_back_by_itself(
    live: Live, other: Database, url: str
) -> None:
    ids = [(await live.api.create())["id"] for _ in range(10)]
    async with socket(live.url) as client:
        for key, id in enumerate(ids):
            await client.subscribe(WATCH, str(key), id=id)
            await client.next(str(key))
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = $1"
        connection: Any = await asyncpg.connect(url)

        async def change() -> None:
            for id in ids:
                await move(other, id, PipelineStatus.CANCELED)
                await asyncio.sleep(0.002)

        changing = asyncio.create_task(change())
        await connection.execute(cut.replace("$1", f"'{make_url(url).database}'"))
        await changing
        await connection.close()
        heard = [await client.receive() for _ in range(2 * len(ids))]
    assert {m["payload"]["data"]["pipelineUpdated"]["status"] for m in heard if m["type"] == "next"} == {"CANCELED"}
    assert sum(message["type"] == "complete" for message in heard) == len(ids)
