"""Client of both APIs for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson

from app.database.interface import Database
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline

ROOT = Path(__file__).parent.parent
CONFIGURATIONS = sorted((ROOT / "tests" / "data").glob("*.json"))
"""Real pipelines as clients send them, for POST /pipelines."""


ADMIN = {"ApiKeys", "AuditLog", "CreateApiKey", "RevokeApiKey"}
"""Operations that need an administrator's key; tests/auth/test_key_manager.py runs them."""


def operation(name: str) -> str:
    """The operation of a file of `queries/`."""
    return (ROOT / "queries" / f"{name}.graphql").read_text()


class Api:
    """Client that sends operations and REST requests to one server."""

    def __init__(self, http: httpx.AsyncClient, database: Database | None = None) -> None:
        self.http, self._database = http, database

    async def post(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """Return the whole answer to an operation: `data`, `errors` or both."""
        return await self.send({"query": query, "variables": variables})

    async def send(self, body: Any, **headers: str) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        answer = await self.http.post("/graphql", content=raw, headers={"content-type": "application/json", **headers})
        assert answer.status_code < 500, answer.text
        decoded: dict[str, Any] = orjson.loads(answer.content)
        return decoded

    async def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """Return the data of an operation; its errors fail the test."""
        answer = await self.post(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def run(self, name: str, /, **variables: Any) -> Any:
        """Return the value of the only field of an operation of `queries/`; its errors fail the test."""
        [result] = (await self.data(operation(name), **variables)).values()
        return result

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Create a pipeline, by default with one element."""
        elements = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": 1}}}]
        payload = await self.run("CreatePipeline", input={"projectId": "project", "elements": elements, **fields})
        assert payload["userErrors"] == []
        pipeline: dict[str, Any] = payload["pipeline"]
        return pipeline

    async def set_status(self, id: str, status: PipelineStatus) -> None:
        """Change the stored status of a pipeline, as a run would."""

        async def work(session: Any) -> None:
            (await session.get_one(Pipeline, id)).status = status

        await self.write(work)

    async def write(self, work: Callable[[Any], Awaitable[None]]) -> None:
        """Write to the database without the server's rules."""
        assert self._database is not None
        await self._database.write(work)
