"""Server that runs pipelines by the fake executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from tests.api import Api
from tests.servers import Server, serving

FAKE = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor", "VOLTGRAPH_WORKERS": "4"}
Start = Callable[..., AbstractContextManager[Server]]


class Runs(Api):
    """API of a server that runs pipelines."""

    async def make(self, *fakes: dict[str, Any], kind: str = "DIRECT_ENTRY", **fields: Any) -> str:
        """Create a pipeline with instructions for the fake executor; each element passes on a value of its own name."""
        elements = [
            {"name": f"e{i}", "elementType": kind, "jobConfig": {"fake": fake, "values": {f"v{i}": i}}}
            for i, fake in enumerate(fakes)
        ]
        id: str = (await self.create(elements=elements, **fields))["id"]
        return id

    async def start(self, *fakes: dict[str, Any], **fields: Any) -> str:
        id = await self.make(*fakes, **fields)
        payload = await self.run("StartPipeline", id=id)
        assert payload["userErrors"] == []
        assert payload["pipeline"]["status"] == "RUNNING"
        return id

    async def until(self, id: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """Return the pipeline once a condition holds."""
        async with asyncio.timeout(seconds):
            while True:
                pipeline: dict[str, Any] = await self.run("PipelineProgress", id=id)
                if wanted(pipeline):
                    return pipeline
                await asyncio.sleep(0.05)

    async def end(self, id: str, seconds: float = 20) -> dict[str, Any]:
        """Return the pipeline once it is terminal."""
        return await self.until(id, lambda pipeline: pipeline["isTerminal"], seconds)

    async def at_work(self, id: str) -> dict[str, Any]:
        """Return the pipeline once an element is running."""
        return await self.until(id, lambda pipeline: pipeline["progress"]["current"] is not None)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file, over SQLite."""
    folder = tmp_path_factory.mktemp("running")
    with serving(f"sqlite:///{folder}/runs.db", **FAKE) as server:
        yield server


@pytest.fixture
async def runs(running: Server) -> AsyncIterator[Runs]:
    async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
        yield Runs(http)
