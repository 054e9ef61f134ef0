"""A request that waits too long for the database gets an error that asks for a retry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import httpx
import pytest
from sqlmodel import select

import app.database.engines
from app.database.interface import Database
from app.errors import Busy
from app.main import create_app
from app.settings import Settings
from tests.api import Api
from tests.schema.requests import GRAPHQL, post


async def hold_all(database: Database, held: AsyncExitStack) -> None:
    """Occupy all connections for reading."""
    with suppress(Busy):
        while True:
            session = await held.enter_async_context(database.read())
            await session.exec(select(1))


@pytest.fixture
async def crowded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Api, AsyncExitStack]]:
    """API of a server whose connections for reading are all occupied until the stack is closed."""
    monkeypatch.setattr(app.database.engines, "PATIENCE", 0.05)
    crowded = create_app(Settings(database_url=database_url, workers=0, plans=False))
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=crowded), base_url="http://localhost")
    async with crowded.router.lifespan_context(crowded), http, AsyncExitStack() as held:
        await hold_all(crowded.state.services.database, held)
        yield Api(http), held


async def test_a_query_is_busy_until_there_is_room(crowded: tuple[Api, AsyncExitStack]) -> None:
    api, held = crowded
    query = {"query": "{ pipelines { totalCount } }"}
    [error] = (await post(api, query, accept=GRAPHQL)).json()["errors"]
    assert error["extensions"] == {"code": "BUSY"}
    assert "again" in error["message"]
    await held.aclose()
    assert (await post(api, query)).json() == {"data": {"pipelines": {"totalCount": 0}}}


async def test_rest_is_busy_until_there_is_room(crowded: tuple[Api, AsyncExitStack]) -> None:
    api, held = crowded
    answer = await api.http.get("/pipelines")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "BUSY")
    assert answer.headers["retry-after"]
    await held.aclose()
    assert (await api.http.get("/pipelines")).status_code == 200
