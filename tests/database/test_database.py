"""Transactions: writes succeed or fail independently, and only committed ones are acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.database.connect import FileInUse, database_url, exclusive, open_database
from app.database.interface import Database, ReadBudget, Steps
from app.database.sqlite.database import Sqlite
from app.database.writes.group_commit import Abandoned
from app.errors import Busy
from app.models.columns import now
from app.models.tables import IdempotencyKey


def key(name: str) -> IdempotencyKey:
    return IdempotencyKey(
        organization_id="o", project_id="p", key=name, fingerprint="f", pipeline_id="p", created_at=now()
    )


async def stored(database: Database) -> set[str]:
    async with database.read() as session:
        return {row[0] for row in await session.exec(text("SELECT key FROM idempotency_key"))}  # type: ignore[call-overload]


def adding(name: str, *, fail: bool = False) -> Any:
    async def work(session: Any) -> str:
        session.add(key(name))
        await session.flush()
        if fail:
            raise ZeroDivisionError(name)
        return name

    return work


@pytest.fixture(name="database")
async def _database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 10_000) as database:
        yield database


parsed = database_url


async def test_of_many_writes_at_once_only_the_bad_ones_fail(database: Database) -> None:
    works = [database.write(adding(str(i), fail=i % 3 == 0)) for i in range(60)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    good = {str(i) for i in range(60) if i % 3}
    assert {outcome for outcome in outcomes if isinstance(outcome, str)} == good
    assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 20
    assert await stored(database) == good


async def test_a_write_that_breaks_a_constraint_leaves_its_neighbours(database: Database) -> None:
    outcomes = await asyncio.gather(*(database.write(adding("same")) for _ in range(5)), return_exceptions=True)
    assert [isinstance(outcome, str) for outcome in outcomes].count(True) == 1
    assert await stored(database) == {"same"}


async def test_a_full_disk_fails_only_what_does_not_fit(sqlite_url: str) -> None:
    """SQLite rolls back the whole transaction then, including earlier writes of the batch."""

    async def leave_little_room(session: Any) -> None:
        connection = await session.connection()
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")

    async with open_database(parsed(sqlite_url), 100) as database:
        await database.write(leave_little_room)
        names = ["a", "b", "x" * 200_000, "c", "d"]
        outcomes = await asyncio.gather(*(database.write(adding(name)) for name in names), return_exceptions=True)
        assert [outcome for outcome in outcomes if isinstance(outcome, str)] == ["a", "b", "c", "d"]
        assert isinstance(outcomes[2], Exception)
        assert await stored(database) == {"a", "b", "c", "d"}


def counting() -> Steps[int]:
    [[count]] = yield "SELECT count(*) FROM idempotency_key", ()
    return int(count)


async def test_a_read_sees_what_was_acknowledged_before_it(database: Database) -> None:
    for number in range(20):
        await database.write(adding(str(number)))
        assert await database.run(counting, ReadBudget(is_single=True)) == number + 1


def age_of_log(log: Path) -> bytes:
    """Return the salts in the log's header: they change when SQLite restarts the log."""
    with log.open("rb") as header:
        return header.read(24)[16:]


def size_of(log: Path) -> int:
    return log.stat().st_size


async def test_reads_without_end_let_the_log_begin_anew(sqlite_url: str) -> None:
    """SQLite restarts its log after a checkpoint during which no reader used an older snapshot. A concurrent read can
    prevent that, and then the next checkpoint tries it again, some MB later."""
    log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    async with open_database(parsed(sqlite_url), 100) as database:
        ends = False

        async def read() -> None:
            while not ends:
                await database.run(counting, ReadBudget(is_single=True))
                await asyncio.sleep(0)

        reads = asyncio.create_task(read())
        await database.write(adding("first"))
        age, number = age_of_log(log), 0
        while age_of_log(log) == age and size_of(log) < 64 << 20:
            await database.write(adding(f"{(number := number + 1)}" + "x" * 200_000))
        ends = True
        await reads
        assert age_of_log(log) != age


async def test_a_file_has_its_log_before_anything_is_written(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 100) as database:
        assert await database.run(journal_mode, ReadBudget(is_single=True)) == "wal"


def journal_mode() -> Steps[str]:
    [[mode]] = yield "PRAGMA journal_mode", ()
    return str(mode)


async def test_a_caller_that_goes_away_harms_nobody(database: Database) -> None:
    writes = [asyncio.create_task(database.write(adding(str(i)))) for i in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    done = await asyncio.gather(*writes, return_exceptions=True)
    assert {str(i) for i in range(1, 20, 2)} <= await stored(database)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in done[::2])


async def test_a_write_that_cancels_itself_harms_nobody(sqlite_url: str) -> None:
    async def cancel(session: Any) -> None:
        await adding("lost")(session)
        raise asyncio.CancelledError

    async with open_database(parsed(sqlite_url), 100) as database:
        works = [adding("a"), cancel, adding("b")]
        outcomes = await asyncio.gather(*(database.write(work) for work in works), return_exceptions=True)
        assert [outcomes[0], type(outcomes[1]), outcomes[2]] == ["a", Abandoned, "b"]
        assert await stored(database) == {"a", "b"}
        assert await database.write(adding("c")) == "c"


async def test_a_full_queue_is_busy(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 2) as database:
        outcomes = await asyncio.gather(*(database.write(adding(str(i))) for i in range(5)), return_exceptions=True)
        assert [isinstance(outcome, Busy) for outcome in outcomes] == [False, False, True, True, True]
        assert await database.write(adding("later")) == "later"
        assert await stored(database) == {"0", "1", "later"}


async def test_a_reading_connection_of_sqlite_cannot_write(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 2) as database:
        assert isinstance(database, Sqlite)
        async with database.read() as session:
            with pytest.raises(Exception, match="readonly"):
                await session.exec(text("DELETE FROM idempotency_key"))  # type: ignore[call-overload]


def test_a_file_has_one_writing_process(tmp_path: Path) -> None:
    url = parsed(f"sqlite:///{tmp_path}/a.db")
    with exclusive(url), pytest.raises(FileInUse), exclusive(url):
        pass
    with exclusive(url):
        assert Path(f"{tmp_path}/a.db.lock").exists()


def test_the_driver_gets_the_ssl_mode_by_its_own_name() -> None:
    assert database_url("postgresql://me:secret@host/data?sslmode=require").query == {"ssl": "require"}


@pytest.mark.parametrize("text", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
def test_other_databases_are_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"sqlite|SQLite|URL"):
        database_url(text)
