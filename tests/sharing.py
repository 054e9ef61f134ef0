"""One server for all tests of a module, for refused requests and for tests with projects of their own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests import servers
from tests.api import Api


@asynccontextmanager
async def in_process(database_url: str, **settings: Any) -> AsyncIterator[Api]:
    """API of a server in this process. A fault of the server is a response here, not an exception."""
    app = create_app(Settings(**{"database_url": database_url, "workers": 0, **settings}))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://localhost"
    )
    async with app.router.lifespan_context(app), client as http:
        yield Api(http, app.state.services.database)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database for all tests of a module, of each kind in turn."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        file = shutil.copy(template, tmp_path_factory.mktemp("shared") / "test.db")
        yield f"sqlite:///{file}"
        return
    server: servers.Postgres = request.getfixturevalue("postgres")
    with server.lent_database() as url:
        yield url


@pytest.fixture(scope="module")
async def shared(shared_url: str, plans: bool) -> AsyncIterator[Api]:
    """The API of a server in this process, for all tests of a module, over each kind of database in turn."""
    async with in_process(shared_url, plans=plans) as api:
        yield api
