"""Two servers for all web clients: one without keys that runs pipelines, and one that needs a key."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.servers import serving


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses, and a key of the second server."""

    url: str
    locked: str
    key: str


async def _new_key(database: str) -> str:
    async with open_keys(parsed(database)) as store:
        return await store.create("lab")


@pytest.fixture(scope="session")
def servers(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("clients")
    databases = [f"sqlite:///{shutil.copy(sqlite_template, folder / name)}" for name in ("open.db", "locked.db")]
    key = asyncio.run(_new_key(databases[1]))
    fake = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor", "VOLTGRAPH_WORKERS": "1"}
    with serving(databases[0], **fake) as unlocked, serving(databases[1]) as locked:
        yield Servers(unlocked.url, locked.url, key)
