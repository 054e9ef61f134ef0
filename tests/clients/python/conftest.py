"""Listening servers for clients, which start pipelines that REST creates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from app.database.migrations import migrate
from tests.servers import Server, serving

STARTS = {"VOLTGRAPH_START_ON_CREATE": "1", "VOLTGRAPH_WORKERS": "4"}
FAKE = STARTS | {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor"}
Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server without keys whose executor is the fake one."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('fake')}/runs.db", **FAKE) as server:
        yield server


@pytest.fixture(scope="session")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that runs pipelines on PyBaMM."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('battery')}/runs.db", **STARTS) as server:
        yield server


@contextmanager
def _locked(url: str) -> Iterator[tuple[Server, dict[str, str]]]:
    keys = asyncio.run(_keys(url))
    with serving(url, **FAKE) as server:
        yield server, keys


async def _keys(url: str) -> dict[str, str]:
    await migrate(parsed(url))
    async with open_keys(parsed(url)) as store:
        return {
            "ours": await store.create("ours", user_id="ada", email="ada@lab.example"),
            "theirs": await store.create("theirs"),
            "narrowed": await store.create("ours", projects=["cells"]),
            "reading": await store.create("ours", read_only=True),
        }


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """Server with API keys: of two organizations, limited to the project `cells`, and limited to reading."""
    with _locked(f"sqlite:///{tmp_path_factory.mktemp('locked')}/runs.db") as both:
        yield both


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Factory of clients, whose connections are closed at the end."""
    from tests.clients.python.official import ionworks

    with ExitStack() as opened:

        def client(server: Server, key: str | None = "any", **arguments: Any) -> Any:
            project = arguments.pop("project_id", str(uuid4()))
            made = ionworks.Ionworks(api_key=key, api_url=server.url, project_id=project, **arguments)
            opened.callback(made.session.close)
            return made

        yield client


@pytest.fixture
def client(fake: Server, connect: Connect) -> Any:
    """The official client, with a project of its own."""
    return connect(fake)
