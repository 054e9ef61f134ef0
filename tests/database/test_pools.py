"""Connection pools: their sizes, and their end."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Pools
from app.database.sqlite import driver
from app.main import pools
from app.models.tables import Pulse
from app.settings import Settings
from tests.servers import Postgres


async def test_writes_use_no_more_connections_than_allowed(postgres: Postgres) -> None:
    url = postgres.new_database()
    async with open_database(parsed(url), 100, Pools(sessions=3, readers=1)) as database:
        ends, using = asyncio.Event(), list[AsyncSession]()

        async def use(session: AsyncSession) -> None:
            await session.connection()
            using.append(session)
            await ends.wait()

        writing = asyncio.gather(*(database.write(use) for _ in range(8)))
        watcher = await asyncpg.connect(url)
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        try:
            async with asyncio.timeout(20):
                while len(using) < 3:  # noqa: ASYNC110  a connection may take long on a busy machine
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            assert await watcher.fetchval(held) == 3
        finally:
            await watcher.close()
            ends.set()
        await writing


def test_settings_set_the_sizes() -> None:
    assert pools(Settings(postgres_sessions=5, postgres_readers=4)) == Pools(5, 4)


async def test_connections_that_return_after_the_end_are_closed(database_url: str) -> None:
    """Work that nobody waits for can outlast its database, or begin after its end."""
    async with open_database(parsed(database_url), 100) as database:
        outlasting = database.read()
        connections = [await connection_of(outlasting)]
    await outlasting.close()
    async with database.read() as late:
        connections.append(await connection_of(late))
    assert [is_closed(each) for each in connections] == [True, True]


async def connection_of(session: AsyncSession) -> Any:
    """Return the connection that a session reads with."""
    assert (await session.exec(select(Pulse))).all()
    return (await (await session.connection()).get_raw_connection()).driver_connection


def is_closed(connection: Any) -> bool:
    if isinstance(connection, asyncpg.Connection):
        return connection.is_closed()
    try:
        return bool(driver.raw(connection).is_closed)
    except ValueError:  # "no active connection"
        return True
