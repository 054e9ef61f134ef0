"""Server killed during uploads and during the reading of files: a retry makes each measurement READY, byte-equal."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx
import pytest

from app.database.connect import database_url as parsed
from app.models.sql import is_file
from tests.faults.creating import client, until_ready
from tests.faults.waiting import told, until
from tests.measurements.conftest import COMPLETE, CREATE
from tests.servers import serving

ROUNDS, ROWS = int(os.environ.get("KILL_ROUNDS", "5")), 40_000
LONGEST = 0.8
"""Seconds after which a round kills its server at the latest."""
READING = {
    "VOLTGRAPH_WORKERS": "1",
    "VOLTGRAPH_EXECUTOR": "tests.measurements.fake_ingest:FakeExecutor",
    "VOLTGRAPH_INGEST": "tests.measurements.fake_ingest:ingest",
}
STATE = "query($id: ID!) { measurement(id: $id) { status error rows downloadUrl } }"


class Files:
    """Files to upload, one for each round, and the measurements that the server made of them."""

    def __init__(self) -> None:
        self._dice = random.Random(4)
        self.contents: dict[str, bytes] = {}
        self.ids: dict[str, str] = {}
        self.reached: list[str] = []
        """State of each round's measurement after its server was killed."""

    def new(self) -> str:
        """Make a file; return the name of its measurement."""
        name = f"measurement {len(self.contents)}"
        rows = (f"{row},{self._dice.uniform(3, 4.2)!r}" for row in range(ROWS))
        self.contents[name] = "\n".join(["Time [s],Voltage [V]", *rows, ""]).encode()
        return name

    async def send(self, http: httpx.AsyncClient, name: str) -> None:
        """Create a measurement, upload its file and have it read; any of that may have been done before."""
        input = {"projectId": "p", "name": name, "format": "CSV", "idempotencyKey": name}
        made = (await _asked(http, CREATE, input=input))["createMeasurement"]
        assert made["userErrors"] == []
        self.ids[name] = made["measurement"]["id"]
        if made["upload"] is not None:
            answer = await http.put(made["upload"]["url"], content=self.contents[name])
            assert answer.status_code == 200, answer.text
        done = (await _asked(http, COMPLETE, id=self.ids[name]))["completeMeasurement"]
        assert done["userErrors"] == []

    async def state(
        self, http: httpx.AsyncClient, name: str, *, compared: tuple[str, ...] = ("PROCESSING", "READY")
    ) -> dict[str, Any]:
        """Return a measurement; nothing of it may be half there. The files of some statuses are compared."""
        found: dict[str, Any] = (await _asked(http, STATE, id=self.ids[name]))["measurement"]
        assert found["error"] is None
        assert (found["rows"] == ROWS) == (found["status"] == "READY")
        if found["downloadUrl"] is not None and found["status"] in compared:
            assert (await http.get(found["downloadUrl"])).content == self.contents[name]
        return found

    async def is_ready(self, http: httpx.AsyncClient, name: str) -> bool:
        return bool((await self.state(http, name, compared=("READY",)))["status"] == "READY")


async def _asked(http: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = (await http.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.slow
@pytest.mark.parallel
async def test_kills_during_uploads_and_readings_halve_nothing(database_url: str) -> None:
    dice, files, began = random.Random(11), Files(), monotonic()
    name = ""
    for number in range(ROUNDS + 1):
        with serving(database_url, **READING) as server:
            async with client(server.url) as http:
                await until_ready(http)
                if name:
                    await _retry(http, files, name, database_url)
                if number == ROUNDS:
                    for each in files.ids:  # PostgreSQL: the lease of a killed worker ends after half a minute
                        await until(lambda each=each: files.is_ready(http, each), 60)
                    break
                name = files.new()
                sending = asyncio.create_task(_sent(http, files, name))
                await asyncio.sleep(dice.uniform(0, LONGEST))
                server.process.kill()
                server.process.wait()
                await sending
    assert len(files.ids) == ROUNDS
    assert len(set(files.reached)) > 1  # kills came at different stages
    told(f"{ROUNDS} kills in {monotonic() - began:.0f} s: {', '.join(sorted(files.reached))}")


async def _sent(http: httpx.AsyncClient, files: Files, name: str) -> None:
    """Upload a file, and wait for its reading until the server is killed."""
    with suppress(httpx.TransportError, TimeoutError):
        await files.send(http, name)
        await until(lambda: files.is_ready(http, name), 60)


async def _retry(http: httpx.AsyncClient, files: Files, name: str, database_url: str) -> None:
    """Repeat what a kill interrupted."""
    files.reached.append((await files.state(http, name))["status"] if name in files.ids else "NOTHING")
    await files.send(http, name)
    if is_file(parsed(database_url)):
        await until(lambda: files.is_ready(http, name), 30)
