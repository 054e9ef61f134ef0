"""Request timeout: a query is cancelled, a mutation is completed nevertheless."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.pipelines import repository, service
from tests.schema.requests import JSON, creating, post, refusals, stored
from tests.sharing import in_process


async def test_a_slow_query_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: Any, **__: Any) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(repository, "pipeline", slow)
    async with in_process(database_url, request_timeout=0.1, plans=False) as api:
        answer = await post(api, {"query": '{ pipeline(id: "x") { id } }'})
        refusals(answer, 503, "TIMEOUT")
        assert answer.headers["retry-after"] == "1"


async def test_a_slow_mutation_is_finished(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create = service.create
    given_up, done = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        await given_up.wait()
        created = await create(*arguments)
        done.set()
        return created

    monkeypatch.setattr(service, "create", slow)
    async with in_process(database_url, request_timeout=0.5) as api:
        refusals(await post(api, creating()), 503, "TIMEOUT")
        given_up.set()
        async with asyncio.timeout(5):
            await done.wait()
        assert await stored(api) == 1


async def test_a_body_that_does_not_come_is_given_up(database_url: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.sleep(30)

    async with in_process(database_url, request_timeout=0.1) as api:
        for path in ("/graphql", "/pipelines"):
            answer = await api.http.post(path, content=body(), headers=JSON)
            assert answer.status_code == 408
            assert "REQUEST_TIMEOUT" in answer.text
