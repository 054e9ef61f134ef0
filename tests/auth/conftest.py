"""A server in this process that needs API keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.auth import keys
from app.auth.keys import KeyStore, open_keys
from app.database.connect import database_url as parsed
from app.main import create_app
from app.settings import Settings
from tests.api import Api


@dataclass
class Locked:
    """Server, and keys for its API."""

    app: Any
    store: KeyStore

    async def api(self, organization: str = "ours", **fields: Any) -> Api:
        """API with a new key."""
        secret = await self.store.create(organization, **fields)
        return self.with_key(secret)

    def with_key(self, secret: str | None, **headers: str) -> Api:
        given = headers | ({"x-api-key": secret} if secret else {})
        transport = httpx.ASGITransport(app=self.app)
        http = httpx.AsyncClient(transport=transport, base_url="http://server.example", headers=given)
        return Api(http, self.app.state.services.database)


@pytest.fixture
async def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeyStore]:
    """Keys of a server over SQLite without a cache."""
    monkeypatch.setattr(keys, "FRESH", 0.0)
    async with open_keys(parsed(sqlite_url)) as opened:
        yield opened


@pytest.fixture
async def locked(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Locked]:
    monkeypatch.setattr(keys, "FRESH", 0.0)
    app = create_app(Settings(database_url=database_url, workers=0, executor="app.execution.fake:FakeExecutor"))
    async with app.router.lifespan_context(app), open_keys(parsed(database_url)) as store:
        await store.create("nobody")
        yield Locked(app, store)
