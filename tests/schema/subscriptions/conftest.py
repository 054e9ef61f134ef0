from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live, Socket


@pytest.fixture(scope="module")
async def live(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """Listening server over SQLite for all tests of a file."""
    file = tmp_path_factory.mktemp("live") / "live.db"
    shutil.copy(sqlite_template, file)
    async with clients.live(f"sqlite:///{file}") as running:
        yield running


@pytest.fixture
async def each_live(database_url: str) -> AsyncIterator[Live]:
    """Listening server over each kind of database in turn."""
    async with clients.live(database_url) as running:
        yield running


@pytest.fixture
async def socket(live: Live) -> AsyncIterator[Socket]:
    """Socket that has been initialised."""
    async with clients.socket(live.url) as opened:
        yield opened
