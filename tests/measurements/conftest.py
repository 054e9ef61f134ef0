"""Server in this process that reads uploads by the fake reader, over each kind of database in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.auth.caller import LOCAL, Caller
from app.main import create_app
from app.server.services import Services
from app.settings import Settings
from tests.api import Api

CSV = b"Time [s],Voltage [V]\n0,4.2\n1,4.1\n2,4.0\n"
READING = {
    "workers": 2,
    "executor": "tests.measurements.fake_ingest:FakeExecutor",
    "ingest": "tests.measurements.fake_ingest:ingest",
}
CREATE = """mutation($input: CreateMeasurementInput!) { createMeasurement(input: $input) {
  measurement { id status } upload { url method headers maxBytes expiresAt } userErrors { code message field } } }"""
COMPLETE = """mutation($id: ID!) { completeMeasurement(id: $id) {
  measurement { id status error } userErrors { code message field } } }"""
STATE = """query($id: ID!) { measurement(id: $id) { id name notes tags status isTerminal error rows bytes sha256 format
  fileName type details changes columns { name unit min max missing } steps cycles downloadUrl cell { id }
  series(maxPoints: 100) usedBy { totalCount nodes { id } } } }"""


class Lab(Api):
    """API of a server that reads uploads."""

    services: Services
    caller: Caller = LOCAL

    async def new(self, **fields: Any) -> dict[str, Any]:
        """Create a measurement; return its payload."""
        input = {"projectId": "project", "name": "discharge", "format": "CSV", **fields}
        payload: dict[str, Any] = (await self.data(CREATE, input=input))["createMeasurement"]
        return payload

    async def put(self, url: str, content: Any, **headers: str) -> httpx.Response:
        return await self.http.put(url, content=content, headers=headers)

    async def upload(self, content: bytes = CSV, **fields: Any) -> str:
        """Create a measurement and upload its file; return its id."""
        payload = await self.new(**fields)
        assert payload["userErrors"] == []
        answer = await self.put(payload["upload"]["url"], content)
        assert answer.status_code == 200, answer.text
        id: str = payload["measurement"]["id"]
        return id

    async def complete(self, id: str, seconds: float = 30) -> dict[str, Any]:
        """Complete an upload; return the measurement once it is READY or FAILED."""
        payload = (await self.data(COMPLETE, id=id))["completeMeasurement"]
        assert payload["userErrors"] == []
        return await self.until_read(id, seconds)

    async def until_read(self, id: str, seconds: float = 30) -> dict[str, Any]:
        """Return a measurement once it is READY or FAILED."""
        async with asyncio.timeout(seconds):
            while True:
                state: dict[str, Any] = (await self.data(STATE, id=id))["measurement"]
                if state["isTerminal"]:
                    return state
                await asyncio.sleep(0.05)

    async def ready(self, content: bytes = CSV, **fields: Any) -> str:
        """Return the id of a READY measurement."""
        id = await self.upload(content, **fields)
        assert (await self.complete(id))["status"] == "READY"
        return id


@asynccontextmanager
async def serving(database_url: str, **settings: Any) -> AsyncIterator[Lab]:
    """Serve in this process."""
    app = create_app(Settings(database_url=database_url, **{**READING, **settings}))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        lab = Lab(http, app.state.services.database)
        lab.services = app.state.services
        yield lab


@pytest.fixture
async def still(database_url: str) -> AsyncIterator[Lab]:
    """API of a server that reads no uploads and runs nothing."""
    async with serving(database_url, workers=0) as running:
        yield running


@pytest.fixture
async def lab(database_url: str) -> AsyncIterator[Lab]:
    async with serving(database_url) as running:
        yield running
