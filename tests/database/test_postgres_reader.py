"""Connections of reads on PostgreSQL: each read starts outside of a transaction, whatever errors earlier reads had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.database.connect import database_url, open_database
from app.database.interface import Pools, ReadBudget, SnapshotStart, Steps
from app.database.postgres import reader
from app.database.postgres.database import Postgres
from tests import servers
from tests.faults.waiting import until

SINGLE, SEVERAL = ReadBudget(is_single=True), ReadBudget(is_single=False)


def reading(*statements: str) -> Steps[list[Any]]:
    """Return the first value of each statement's first row, if any."""
    found = []
    for statement in statements:
        rows = yield statement, ()
        found.append(rows[0][0] if rows else None)
    return found


@pytest.fixture
async def database(postgres: servers.Postgres) -> AsyncIterator[Postgres]:
    one = Pools(readers=1)  # so that all reads share it
    async with open_database(database_url(postgres.new_database()), 100, one) as opened:
        assert isinstance(opened, Postgres)
        yield opened


async def beat(database: Postgres, at: int) -> None:
    """Write a pulse over another connection than that of reads."""

    async def work(session: Any) -> None:
        await session.exec(text(f"UPDATE pulse SET at = '20{at}-01-01'"))

    await database.write(work)


async def pulse(database: Postgres, pace: ReadBudget) -> int:
    [at] = await database.run(lambda: reading("SELECT at FROM pulse"), pace)
    return int(at.year) - 2000


async def pid(database: Postgres) -> int:
    [found] = await database.run(lambda: reading("SELECT pg_backend_pid()"), SINGLE)
    return int(found)


def recovered(database: Postgres) -> int:
    return database.recoveries()["plain_reader"]


@pytest.mark.filterwarnings("ignore")
async def test_a_transaction_that_was_left_open_is_never_read_from(database: Postgres) -> None:
    before = await pid(database)
    statements = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT at FROM pulse")
    for number, pace in enumerate((SINGLE, SEVERAL), 30):
        await database.run(lambda: reading(*statements), SINGLE)
        await beat(database, number)
        assert await pulse(database, pace) == number
    assert recovered(database) == 2
    assert await pid(database) == before


@pytest.mark.parametrize("pace", [SINGLE, SEVERAL], ids=["single", "several"])
async def test_a_read_that_is_given_up_leaves_nothing(database: Postgres, pace: ReadBudget) -> None:
    await pulse(database, pace)
    for number in range(30, 33):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await database.run(lambda: reading("SELECT at FROM pulse", "SELECT pg_sleep(30)"), pace)
        await beat(database, number)
        assert await pulse(database, pace) == number


async def test_a_connection_that_the_server_ended_is_replaced(database: Postgres) -> None:
    before = await pid(database)
    await beat(database, 30)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await database.run(lambda: reading("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"), SEVERAL)
    assert await pulse(database, SEVERAL) == 30
    assert await pid(database) != before
    assert recovered(database) == 1


async def test_an_error_in_a_transaction_is_raised_and_leaves_nothing(database: Postgres) -> None:
    before = await pid(database)
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.run(lambda: reading("SELECT 1", "SELECT * FROM missing"), SEVERAL)
    await beat(database, 30)
    assert await pulse(database, SINGLE) == 30
    assert (await pid(database), recovered(database)) == (before, 0)


async def test_a_session_that_is_given_up_leaves_no_transaction(database: Postgres) -> None:
    await beat(database, 29)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), database.read() as session:
                await session.exec(text("SELECT pg_sleep(30)"))  # type: ignore[call-overload]
    assert database.recoveries()["session"] == 3
    await beat(database, 30)
    assert await pulse(database, SINGLE) == 30
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"

    async def are_none() -> bool:
        return bool(await database.run(lambda: reading(query), SINGLE) == [0])

    await until(are_none, 10)


async def test_a_lost_listener_is_counted(database: Postgres) -> None:
    await database.listen()
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    query += " AND query ILIKE 'listen%'"
    assert await database.run(lambda: reading(query), SINGLE) == [True]
    await until(lambda: database.recoveries()["listener"] == 1, 10)


async def test_a_statement_with_a_pattern_is_planned_for_its_values(database: Postgres) -> None:
    search = "SELECT count(*) FROM pipeline WHERE name LIKE 'a%'"
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE strpos(statement, 'pipeline WHERE') > 0"
    for pace in (SINGLE, SEVERAL):
        assert await database.run(lambda: reading(search, search), pace) == [0, 0]
        assert await database.run(lambda: reading(prepared.replace("count(*)", "count(*) - 1")), SINGLE) == [0]


async def test_statements_after_a_probe_read_its_snapshot(database: Postgres) -> None:
    isolation = "SELECT current_setting('transaction_isolation')"

    def steps() -> Steps[list[Any]]:
        first = yield SnapshotStart((isolation, ()))
        second = yield isolation, ()
        return [first[0][0], second[0][0]]

    assert await database.run(steps, SINGLE) == ["repeatable read"] * 2
    assert await database.run(lambda: reading(isolation), SINGLE) == ["read committed"]
    assert recovered(database) == 0


async def test_a_read_that_does_not_end_does_not_keep_the_server(
    postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "FAREWELL", 0.2)
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
    async with asyncio.timeout(60):
        async with open_database(database_url(postgres.new_database()), 100, Pools(readers=2)) as opened:
            endless = asyncio.ensure_future(opened.run(lambda: reading("SELECT pg_sleep(600)"), SINGLE))

            async def is_sleeping() -> bool:
                return bool(await opened.run(lambda: reading(sleeping), SINGLE) == [1])

            await until(is_sleeping, 20)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await endless
