"""Clients that create pipelines, and what must be true of those that were acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

import httpx

from tests.api import operation
from tests.faults.waiting import until

CREATE = operation("CreatePipeline")
ELEMENTS = 3
READY = 5.0
"""Seconds in which a server must be ready again."""


@dataclass
class History:
    """Requests of clients, by unique pipeline names."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Ids by name."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """The status and the code of each refusal."""
    unanswered: set[str] = field(default_factory=set)
    """Names of what may be there or not."""
    slowest: float = 0.0
    """Seconds that an answer took."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def create(self, http: httpx.AsyncClient, *, insist: bool = False) -> None:
        """One pipeline, by GraphQL and REST in turn; with a key, again until it is acknowledged, where told to insist.
        Raises what the transport does."""
        number = next(self._numbers)
        name = f"pipeline {number}"
        self.unanswered.add(name)
        ask = partial(by_graphql if number % 2 else by_rest, http, name, f"key of {name}" if insist else None)
        await self._ask(name, ask)
        while insist and name not in self.acknowledged:
            await asyncio.sleep(0.1)
            await self._ask(name, ask)

    async def _ask(self, name: str, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
        start = monotonic()
        answer = await ask()
        self.slowest = max(self.slowest, monotonic() - start)
        body = answer.json()
        if answer.status_code == 201:
            self._acknowledge(name, body["id"])
        elif answer.status_code == 200 and "errors" not in body:
            self._acknowledge(name, body["data"]["createPipeline"]["pipeline"]["id"])
        else:
            code = body["errors"][0]["extensions"]["code"] if "errors" in body else body["error_code"]
            self.refused.append((answer.status_code, code))

    def _acknowledge(self, name: str, id: str) -> None:
        self.acknowledged[name] = id
        self.unanswered.discard(name)

    def check(self, stored: dict[str, tuple[str, int]]) -> None:
        """All that was acknowledged is there and whole, and there is nothing that nobody asked for."""
        assert {name: stored.get(name) for name in self.acknowledged} == {
            name: (id, ELEMENTS) for name, id in self.acknowledged.items()
        }
        others = stored.keys() - self.acknowledged.keys()
        assert others <= self.unanswered
        assert {stored[name][1] for name in others} <= {ELEMENTS}


async def by_graphql(http: httpx.AsyncClient, name: str, key: str | None) -> httpx.Response:
    elements = [
        {"name": f"e{place}", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": 1}}}
        for place in range(ELEMENTS)
    ]
    given = {"projectId": "p", "name": name, "elements": elements, "idempotencyKey": key}
    return await http.post("/graphql", json={"query": CREATE, "variables": {"input": given}})


async def by_rest(http: httpx.AsyncClient, name: str, key: str | None) -> httpx.Response:
    elements = {f"e{place}": {"element_type": "entry", "values": {"a": 1}} for place in range(ELEMENTS)}
    headers = {"idempotency-key": key} if key else {}
    return await http.post("/pipelines", json={"project_id": "p", "name": name, "elements": elements}, headers=headers)


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)


@asynccontextmanager
async def creators(url: str, history: History, count: int, insisting: int = 0) -> AsyncIterator[None]:
    """So many clients at work meanwhile, each until its connection is cut; some of them insist. Entered once one was
    answered."""
    answered = asyncio.Event()

    async def work(insist: bool) -> None:
        with suppress(httpx.TransportError):
            while True:
                await history.create(http, insist=insist)
                answered.set()

    async with client(url) as http, asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(place < insisting)) for place in range(count)]
        async with asyncio.timeout(READY):
            await answered.wait()
        yield
        for task in tasks:
            task.cancel()


def stored(database: str) -> dict[str, tuple[str, int]]:
    """The id and how many elements each pipeline of a SQLite file has, by name. The file is sound, no name is there
    twice, and no element is without its pipeline."""
    connection = sqlite3.connect(f"file:{Path(database.removeprefix('sqlite:///'))}?mode=ro", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        query = "SELECT name, id, (SELECT count(*) FROM pipeline_element WHERE pipeline_id = p.id) FROM pipeline p"
        rows = connection.execute(query).fetchall()
    finally:
        connection.close()
    found = {name: (id, elements) for name, id, elements in rows}
    assert len(found) == len(rows)
    return found


async def until_ready(http: httpx.AsyncClient, seconds: float = READY) -> float:
    """Seconds until the server says that it is ready."""
    start = monotonic()
    await until(lambda: says(http, "/readyz", 200), seconds)
    return monotonic() - start


async def says(http: httpx.AsyncClient, path: str, status: int) -> bool:
    """Whether a GET is answered so."""
    return (await http.get(path)).status_code == status
