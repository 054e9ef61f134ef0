"""View of a database that leaves connections to others."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from sqlmodel import select

from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Pools, ReadBudget, Steps
from app.models.tables import Pulse
from tests.servers import Postgres

PATIENCE = 20.0


async def test_limited_sessions_wait_for_each_other_and_others_do_not_wait(database_url: str) -> None:
    async with open_database(parsed(database_url), 100) as database, AsyncExitStack() as held:
        limited, entered = database.limited(), 0

        async def hold() -> None:
            nonlocal entered
            session = await held.enter_async_context(limited.read())
            await session.exec(select(Pulse))  # holds a connection until it is closed
            entered += 1

        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(hold()) for _ in range(50)]
            async with asyncio.timeout(PATIENCE):
                while not entered:  # noqa: ASYNC110  a connection may take long on a busy machine
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
            assert 0 < entered < 20
            before = entered
            async with asyncio.timeout(5), database.read() as session:
                assert (await session.exec(select(Pulse))).all()
            assert entered == before
            for task in waiting:
                task.cancel()


async def test_a_cancelled_wait_holds_nothing(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 100) as database:
        limited = database.limited()

        async def read() -> None:
            async with limited.read() as session:
                await session.exec(select(Pulse))

        for _ in range(20):
            reading = [asyncio.create_task(read()) for _ in range(10)]
            await asyncio.sleep(0)
            for task in reading[::2]:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        async with asyncio.timeout(5):
            await read()


async def test_limited_queries_wait_for_each_other_and_others_do_not_wait(postgres: Postgres) -> None:
    url = postgres.new_database()
    async with open_database(parsed(url), 100, Pools(sessions=4, readers=4)) as database:
        limited = database.limited()
        slow = [asyncio.ensure_future(limited.run(sleep, ReadBudget(is_single=True))) for _ in range(8)]
        asleep = 0
        async with asyncio.timeout(PATIENCE):
            while asleep < 2:
                await asyncio.sleep(0.05)
                [[asleep]] = await database.run(count_asleep, ReadBudget(is_single=True))
        await asyncio.sleep(0.5)
        assert await database.run(count_asleep, ReadBudget(is_single=True)) == [(2,)]
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


def sleep() -> Steps[list[Any]]:
    return (yield "SELECT pg_sleep(60)", ())


def count_asleep() -> Steps[list[Any]]:
    return (yield "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'", ())
