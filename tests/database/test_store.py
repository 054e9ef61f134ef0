"""Bulk inserts: new rows are stored completely or not at all, independently of concurrent ones."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.caller import Caller
from app.database.changes import Change
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.sqlite import driver as sqlite_driver
from app.database.sqlite import rounds
from app.database.sqlite.database import Sqlite
from app.database.writes.inserts import PipelineInsert
from app.errors import NotUnique
from app.models.columns import instant_text, now
from app.models.tables import IdempotencyKey
from tests import servers

LITTLE = 50
"""Milliseconds."""


def new(database: Database, *keys: str) -> PipelineInsert:
    """Rows of one table are enough."""
    at: Any = instant_text(now()) if isinstance(database, Sqlite) else now()
    return PipelineInsert(
        [("o", "p", key, "f", "p", at) for key in keys], [], [], [], lambda: Change("o", keys[0], None, None)
    )


async def stored(database: Database) -> list[str]:
    async with database.read() as session:
        rows = await session.exec(text("SELECT key FROM idempotency_key ORDER BY key"))  # type: ignore[call-overload]
        return [row[0] for row in rows]


async def store_all(database: Database, *groups: tuple[str, ...]) -> list[Any]:
    stores = [database.store(new(database, *keys)) for keys in groups]
    return await asyncio.gather(*stores, return_exceptions=True)


@pytest.fixture(params=["here", "by a thread"], autouse=True)
def _where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite inserts a few rows on the event loop."""
    if request.param != "here":
        monkeypatch.setattr(rounds, "MOST_HERE", -1)


@pytest.fixture(name="database")
async def _database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 10_000) as database:
        yield database


async def test_of_many_at_once_only_what_is_not_unique_fails(database: Database) -> None:
    outcomes = await store_all(database, ("a",), ("b", "c"), ("d", "b"), ("e",))
    failed = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, NotUnique)]
    assert len(failed) == 1
    assert [outcome for i, outcome in enumerate(outcomes) if i not in failed] == [None] * 3
    assert await stored(database) == (["a", "b", "c", "e"] if failed == [2] else ["a", "b", "d", "e"])


@pytest.mark.parametrize("number", [3, 64, 86])
async def test_any_number_of_rows_is_stored(database: Database, number: int) -> None:
    keys = [f"{each:03}" for each in range(number)]
    await store_all(database, tuple(keys[:2]), tuple(keys[2:]))
    assert await stored(database) == keys


async def test_another_failure_is_not_taken_for_a_key(database: Database) -> None:
    wrong = new(database, "a")._replace(elements=[(None,) * 11])
    with pytest.raises(Exception, match=r"null|NULL") as failure:
        await database.store(wrong)
    assert not isinstance(failure.value, NotUnique)
    assert await stored(database) == []


async def test_only_what_was_stored_is_told(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 100) as database:
        with database.broker.subscribe(Caller("o")) as subscriber:
            await store_all(database, ("a",), ("a",), ("b",))
            assert list(await subscriber.take(10)) == ["a", "b"]


async def test_a_file_that_is_locked_is_waited_for_elsewhere(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 100) as database:
        await database.store(new(database, "a"))
        other = sqlite_driver.connect(sqlite_url.removeprefix("sqlite:///"))
        other.execute("BEGIN IMMEDIATE")
        store = asyncio.ensure_future(database.store(new(database, "b")))
        begun = monotonic()
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert monotonic() - begun < 2  # the event loop is not blocked
        assert not store.done()
        other.execute("COMMIT")
        other.close()
        await store
        assert await stored(database) == ["a", "b"]


async def test_what_fails_when_it_is_committed_is_not_acknowledged(sqlite_url: str) -> None:
    """Add a foreign key that is checked at COMMIT only."""

    async def defer(session: Any) -> None:
        connection = await session.connection()
        for statement in (
            "CREATE TABLE other (id TEXT PRIMARY KEY)",
            "CREATE TABLE late (id TEXT REFERENCES other DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER breaks AFTER INSERT ON idempotency_key WHEN new.key = 'b' "
            "BEGIN INSERT INTO late VALUES ('none'); END",
        ):
            await connection.exec_driver_sql(statement)

    async with open_database(parsed(sqlite_url), 100) as database:
        await database.write(defer)
        outcomes = await store_all(database, ("a",), ("b",), ("c",))
        assert [type(outcome) is type(None) for outcome in outcomes] == [True, False, True]
        assert await stored(database) == ["a", "c"]


async def test_stores_and_other_writes_keep_their_order(sqlite_url: str) -> None:
    async def keys(session: Any) -> list[str]:
        return sorted(row[0] for row in await session.exec(text("SELECT key FROM idempotency_key")))

    async def adding(session: Any) -> None:
        session.add(
            IdempotencyKey(
                organization_id="o", project_id="p", key="b", fingerprint="f", pipeline_id="p", created_at=now()
            )
        )

    async with open_database(parsed(sqlite_url), 100) as database:

        async def store(key: str) -> None:
            await database.store(new(database, key))

        writes = (store("a"), database.write(keys), database.write(adding), store("c"), database.write(keys))
        _, first, _, _, last = await asyncio.gather(*writes)
        assert (first, last) == (["a"], ["a", "b", "c"])


async def test_a_full_disk_fails_only_what_does_not_fit(sqlite_url: str) -> None:
    async def leave_little_room(session: Any) -> None:
        connection = await session.connection()
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")

    async with open_database(parsed(sqlite_url), 100) as database:
        await database.write(leave_little_room)
        outcomes = await store_all(database, ("a",), ("b" * 200_000,), ("c",))
        assert [type(outcome) is type(None) for outcome in outcomes] == [True, False, True]
        assert await stored(database) == ["a", "c"]


async def test_a_connection_that_the_server_ended_is_replaced(postgres: servers.Postgres) -> None:
    ended = asyncio.Event()
    async with open_database(parsed(postgres.new_database()), 100) as database:
        async with database.read() as session:
            driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
            driver.add_termination_listener(lambda _: ended.set())
            await session.exec(text(f"SET idle_session_timeout = {LITTLE}"))  # type: ignore[call-overload]
            await session.commit()
        await asyncio.wait_for(ended.wait(), 10)
        await database.store(new(database, "a"))
        assert await stored(database) == ["a"]
