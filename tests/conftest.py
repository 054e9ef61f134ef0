"""A fresh database for every test, SQLite and PostgreSQL, and the server over it: in process, or really listening."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from app.auth import keys
from app.database.connect import database_url as parsed
from app.database.migrations import migrate
from app.main import create_app
from app.server.uvicorn import COLLECTED
from app.settings import Settings
from tests import servers
from tests.api import Api

# Generated data are equal in each run, without a deadline on a busy machine.
settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")
keys.PATIENCE = 20.0  # a shared machine may stall longer than users should wait


def pytest_collection_finish() -> None:
    """Let the garbage collector work as in a server: it passes over what was imported, and works less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with all tables."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate(parsed(f"sqlite:///{file}")))
    return file


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    with servers.postgres() as server:
        yield server


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "test.db")
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: servers.Postgres = request.getfixturevalue("postgres")
    with server.lent_database() as url:
        yield url


@pytest.fixture(scope="module")
def plans() -> bool:
    """Whether plans are on. Modules whose results must not depend on it run with both values."""
    return True


@pytest.fixture(scope="module")
def fast_path() -> bool:
    """Whether the fast path is on. Packages whose results must not depend on it run with both values."""
    return True


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """API of a server in this process, over each kind of database in turn."""
    app = create_app(Settings(database_url=database_url, workers=0, executor="app.execution.fake:FakeExecutor"))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        yield Api(http, app.state.services.database)


@pytest.fixture
def server(sqlite_url: str, fast_path: bool) -> Iterator[servers.Server]:
    """Listening server over an empty SQLite database."""
    with servers.serving(sqlite_url, VOLTGRAPH_FAST_PATH=str(fast_path)) as running:
        yield running
