"""Servers that check pipelines by an executor of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.main import create_app
from app.settings import Settings
from tests.api import Api

EXECUTOR = "tests.execution.checking.executor:CheckingExecutor"


@asynccontextmanager
async def checking(database_url: str, **settings: Any) -> AsyncIterator[Api]:
    """API of a server in this process that runs nothing, unless told otherwise."""
    given: dict[str, Any] = {"workers": 0, "executor": EXECUTOR} | settings
    app = create_app(Settings(database_url=database_url, **given))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost", timeout=60)
    async with app.router.lifespan_context(app), client as http:
        yield Api(http, app.state.services.database)


def pipeline(*configs: dict[str, Any]) -> dict[str, Any]:
    """Return the input of a pipeline whose elements have these configurations."""
    elements = [{"name": f"e{i}", "elementType": "DATA_FIT", "jobConfig": each} for i, each in enumerate(configs)]
    return {"projectId": "project", "elements": elements}
