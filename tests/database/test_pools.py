"""Sizes of the connection pools to PostgreSQL."""

from __future__ import annotations

import asyncio

import asyncpg

from app.database.connect import database_url, open_database
from app.database.interface import Pools
from app.main import pools
from app.settings import Settings
from tests.servers import Postgres


async def test_writes_use_no_more_connections_than_allowed(postgres: Postgres) -> None:
    url = postgres.new_database()
    async with open_database(database_url(url), 100, Pools(sessions=3, readers=1)) as database:

        async def hold(session: object) -> None:
            await asyncio.sleep(0.3)

        async def use(session: object) -> None:
            await session.connection()  # type: ignore[attr-defined]
            await hold(session)

        writing = asyncio.gather(*(database.write(use) for _ in range(8)))
        await asyncio.sleep(0.2)
        watcher = await asyncpg.connect(url)
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        try:
            assert await watcher.fetchval(held) == 3
        finally:
            await watcher.close()
        await writing


def test_settings_set_the_sizes() -> None:
    assert pools(Settings(postgres_sessions=5, postgres_readers=4)) == Pools(5, 4)
