"""Clients that create pipelines, and checks of the acknowledged ones."""

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
READY = 10.0
"""Seconds within which a server must be ready again."""


@dataclass
class History:
    """Requests of clients, by unique pipeline names."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Ids of acknowledged pipelines by name."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Status and code of each refusal."""
    unanswered: set[str] = field(default_factory=set)
    """Names of pipelines that may or may not exist."""
    slowest: float = 0.0
    """Longest duration of a response in seconds."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def create(self, http: httpx.AsyncClient, *, insist: bool = False) -> None:
        """Create one pipeline, by GraphQL and REST in turn; with `insist` and a key, retry until it is acknowledged.
        Raises the errors of the transport."""
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
        """Check that all acknowledged pipelines are complete, and that no other ones exist."""
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
    """Run this many clients until their connections are cut; some of them insist. The context begins after the first
    response."""
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
    """Return the id and the number of elements of each pipeline of a SQLite file, by name. Checks the file's integrity,
    unique names, and that every element has a pipeline."""
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
    """Return the seconds until the server is ready."""
    start = monotonic()
    await until(lambda: says(http, "/readyz", 200), seconds)
    return monotonic() - start


async def says(http: httpx.AsyncClient, path: str, status: int) -> bool:
    """Return whether a GET has this response."""
    return (await http.get(path)).status_code == status
