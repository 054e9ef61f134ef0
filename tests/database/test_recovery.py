"""Recovery of database connections that an error left in a wrong state: the next read or write is correct."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database import recoveries
from app.database.connect import database_url, open_database
from app.database.interface import Database, ReadBudget
from app.database.recoveries import Recoveries
from app.database.sqlite import database as sqlite
from app.database.sqlite import driver as sqlite_driver
from app.database.sqlite import reader
from app.database.sqlite.database import Sqlite
from app.database.sqlite.driver import BUSY_TIMEOUT
from app.database.sqlite.reader import SqliteReader
from app.database.sqlite.rounds import Round
from app.main import create_app
from app.models.tables import Pipeline
from app.settings import Settings
from tests.api import Api
from tests.database.test_sqlite_reader import LONG, insert, reading
from tests.faults.waiting import until

Denied = tuple[str, ...]
STUCK = [("COMMIT",), ("COMMIT", "ROLLBACK"), ("BEGIN",)]
"""Failing statements: the first case leads to a rollback, the second to a replaced connection."""


def deny(connection: apsw.Connection, *names: str) -> None:
    """Make transaction statements fail by an authorizer, after which SQLite prepares all statements again."""

    def authorize(action: int, name: str | None, *_: object) -> int:
        is_denied = action == apsw.SQLITE_TRANSACTION and name in names
        return apsw.SQLITE_DENY if is_denied else apsw.SQLITE_OK

    connection.authorizer = authorize


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "test.db"
    connection = sqlite_driver.connect(str(path))
    connection.execute("PRAGMA journal_mode=WAL; CREATE TABLE t (x)").fetchall()
    connection.close()
    return path


class Opened:
    """Readers over a file, and the connections that they opened."""

    def __init__(self, file: Path) -> None:
        self.made: list[apsw.Connection] = []
        self.readers = SqliteReader(partial(self._connect, str(file)), threads=1, recoveries=Recoveries())

    def _connect(self, file: str) -> apsw.Connection:
        self.made.append(sqlite_driver.connect(file))
        return self.made[-1]

    async def rows(self, *, is_single: bool = False) -> int:
        """Count the rows of the table."""
        return len((await self.readers.run(lambda: reading("SELECT * FROM t"), ReadBudget(is_single=is_single)))[0][0])

    @property
    def recovered(self) -> dict[str, int]:
        return self.readers._recoveries()


@pytest.fixture
def opened(file: Path) -> Iterator[Opened]:
    found = Opened(file)
    yield found
    found.readers.close()


@pytest.mark.parametrize("denied", STUCK)
async def test_the_event_loops_reader_recovers(
    opened: Opened, file: Path, denied: Denied, caplog: pytest.LogCaptureFixture
) -> None:
    assert await opened.rows() == 0
    deny(opened.made[0], *denied)
    for number in range(1, 4):
        with opened.readers.written():
            insert(file)
        # If a connection cannot begin a snapshot at all, the read fails and the executor answers it.
        with suppress(apsw.AuthError):
            assert await opened.rows() == number
            assert "BEGIN" not in denied
    deny(opened.made[-1])
    with opened.readers.written():
        insert(file)
    assert await opened.rows() == 4
    assert opened.recovered["event_loop_reader"] == {1: 3, 2: 1}[len(denied)]
    assert len(opened.made) == len(denied)
    assert len([each for each in caplog.records if "recovered a database connection" in each.message]) == 1


@pytest.mark.parametrize("denied", [(), ("ROLLBACK",)])
@pytest.mark.parametrize("is_single", [True, False])
@pytest.mark.parametrize("is_writing", [True, False])
async def test_an_open_transaction_is_never_read_from(
    opened: Opened, file: Path, denied: Denied, is_single: bool, is_writing: bool
) -> None:
    """The cause of the open transaction does not matter."""
    assert await opened.rows() == 0
    with opened.readers.written():
        opened.made[0].execute("BEGIN; SELECT * FROM t").fetchall()
        insert(file)
        deny(opened.made[0], *denied)
        if is_writing:
            assert await opened.rows(is_single=is_single) == 1
    assert await opened.rows(is_single=is_single) == 1
    assert opened.recovered["event_loop_reader"] == 1
    assert len(opened.made) == 1 + len(denied)


@pytest.mark.parametrize("denied", STUCK[:2])
async def test_a_threads_reader_recovers(
    opened: Opened, file: Path, denied: Denied, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = ReadBudget(is_single=False)

    async def rows() -> int:
        pace.resting = 1  # so that it goes to a thread immediately
        return len((await opened.readers.run(lambda: reading("SELECT * FROM t"), pace))[0][0])

    assert await rows() == 0
    deny(opened.made[0], *denied)
    for number in range(1, 4):
        insert(file)
        assert await rows() == number
    assert opened.recovered["thread_reader"] == {1: 3, 2: 1}[len(denied)]
    assert len(opened.made) == len(denied)


@pytest.mark.parametrize("resting", [0, 1])
async def test_the_error_of_a_read_is_raised_not_that_of_its_end(opened: Opened, file: Path, resting: int) -> None:
    pace = ReadBudget(is_single=False)

    async def run(*statements: str) -> Any:
        pace.resting = resting
        return await opened.readers.run(lambda: reading(*statements), pace)

    await run("SELECT 1")
    deny(opened.made[0], "COMMIT", "ROLLBACK")
    with pytest.raises(apsw.SQLError, match="no such table"):
        await run("SELECT 1", "SELECT * FROM missing")
    insert(file)
    assert (await run("SELECT * FROM t"))[0] == [[(1,)]]


async def test_a_snapshot_that_sqlite_ended_itself_is_begun_anew(opened: Opened, file: Path) -> None:
    assert (await opened.readers.run(lambda: reading("SELECT * FROM t", "ROLLBACK"), ReadBudget(is_single=False)))[0][
        0
    ] == []
    with opened.readers.written():
        insert(file)
    assert await opened.rows() == 1


async def test_a_reader_that_cannot_be_opened_again_is_opened_later(
    opened: Opened, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await opened.rows() == 0
    deny(opened.made[0], "COMMIT", "ROLLBACK")
    with opened.readers.written():
        with monkeypatch.context() as patched:
            patched.setattr(opened.readers._own, "_connect", partial(apsw.Connection, f"{file}/none"))
            with pytest.raises(apsw.CantOpenError):
                await opened.rows()
        insert(file)
    assert await opened.rows() == 1


async def test_interruptions_leave_reads_right(opened: Opened, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOMENTS", 0.0)
    for number in range(5):
        assert (await opened.readers.run(lambda: reading("SELECT 1", LONG), ReadBudget(is_single=False)))[0][1] == [
            (20000,)
        ]
        with opened.readers.written():
            insert(file)
        assert await opened.rows() == number + 1
    assert set(opened.recovered.values()) == {0}


def test_recoveries_are_logged_once_a_minute_for_each_connection(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Recoveries()
    for _ in range(10):
        counted.add("a", ValueError("broken"))
        counted.add("b", "left open")
    assert counted() == {"a": 10, "b": 10}
    assert [each.message for each in caplog.records] == [
        "recovered a database connection (a, 1 so far): ValueError: broken",
        "recovered a database connection (b, 1 so far): left open",
    ]
    monkeypatch.setattr(recoveries, "LOGGED", 0.0)
    counted.add("a", "again")
    assert "(a, 11 so far)" in caplog.records[-1].message


class Served(Api):
    """Open a server in this process over SQLite."""

    @property
    def sqlite(self) -> Sqlite:
        assert isinstance(self._database, Sqlite)
        return self._database

    @property
    def connection(self) -> apsw.Connection:
        """Return the connection of the writer."""
        assert self.sqlite._writer._driver is not None
        return sqlite_driver.raw(self.sqlite._writer._driver).own

    async def names(self) -> set[str]:
        page = await self.run("Pipelines", first=50)
        return {node["name"] for node in page["nodes"]}

    @property
    def recovered(self) -> int:
        return self.sqlite.recoveries()["writer"]


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[Served]:
    app = create_app(Settings(database_url=sqlite_url, workers=0))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        yield Served(http, app.state.services.database)


async def rename(api: Api, id: str, name: str) -> Any:
    return await api.run("UpdatePipeline", id=id, input={"name": name})


@pytest.mark.parametrize("denied", [(), ("ROLLBACK",)])
@pytest.mark.parametrize("is_create", [True, False])
async def test_a_transaction_that_was_left_open_costs_the_writer_nothing(
    served: Served, denied: Denied, is_create: bool
) -> None:
    id = (await served.create(name="first"))["id"]
    before = served.connection
    before.execute("BEGIN IMMEDIATE; UPDATE pipeline SET name = 'never committed'")
    deny(before, *denied)
    await (served.create(name="second") if is_create else rename(served, id, "second"))
    assert await served.names() == ({"first", "second"} if is_create else {"second"})
    assert served.recovered == 1
    assert (served.connection is before) == (not denied)
    assert served.connection.execute("PRAGMA foreign_keys").fetchall() == [(1,)]


@pytest.mark.parametrize("is_create", [True, False])
async def test_what_cannot_be_committed_or_rolled_back_is_done_over_another_connection(
    served: Served, is_create: bool
) -> None:
    id = (await served.create(name="first"))["id"]
    deny(served.connection, "COMMIT", "ROLLBACK")
    await (served.create(name="second") if is_create else rename(served, id, "second"))
    assert await served.names() == ({"first", "second"} if is_create else {"second"})
    assert served.recovered == 1


async def test_after_an_update_that_cannot_be_committed_the_next_one_is_right(served: Served) -> None:
    id = (await served.create(name="first"))["id"]
    deny(served.connection, "COMMIT")
    answer = await served.http.post("/graphql", json={"query": UPDATE, "variables": {"id": id}})
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert await served.names() == {"first"}
    deny(served.connection)
    await rename(served, id, "second")
    assert await served.names() == {"second"}


@pytest.mark.parametrize("denied", STUCK)
async def test_after_a_session_that_fails_the_next_write_is_right(
    served: Served, denied: Denied, caplog: pytest.LogCaptureFixture
) -> None:
    id = (await served.create(name="first"))["id"]
    deny(served.connection, *denied)

    async def work(session: Any) -> None:
        (await session.get_one(Pipeline, id)).name = "failed"

    with pytest.raises(DBAPIError):
        await served.sqlite.write(work)
    assert await served.names() == {"first"}
    if "ROLLBACK" not in denied:
        deny(served.connection)
    await rename(served, id, "second")
    await served.create(name="third")
    assert await served.names() == {"second", "third"}
    caplog.clear()


UPDATE = 'mutation U($id: ID!) { updatePipeline(id: $id, input: {name: "failed"}) { pipeline { id } } }'


async def test_a_create_that_fails_for_any_reason_leaves_no_transaction(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.create(name="first")

    def fail(*_: object) -> None:
        raise TypeError("what no table takes")

    with monkeypatch.context() as patched:
        patched.setattr(Round, "_together", fail)
        answer = await served.http.post("/graphql", json=CREATE)
        assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert not served.connection.in_transaction
    assert served.connection.execute("PRAGMA busy_timeout").fetchall() == [(BUSY_TIMEOUT,)]
    await served.create(name="second")
    assert await served.names() == {"first", "second"}


CREATE = {
    "query": 'mutation { createPipeline(input: {projectId: "p", elements: [{name: "e", elementType: DIRECT_ENTRY, '
    "jobConfig: {values: {a: 1}}}]}) { pipeline { id } } }"
}


async def test_metrics_tell_of_each_connection(served: Served) -> None:
    await served.create()
    served.connection.execute("BEGIN IMMEDIATE")
    await served.create()
    lines = (await served.http.get("/metrics")).text.splitlines()
    counts = sorted(line for line in lines if line.startswith("voltgraph_connection_recoveries_total{"))
    assert counts == [
        f'voltgraph_connection_recoveries_total{{connection="{name}"}} {float(name == "writer")}'
        for name in ("event_loop_reader", "keys", "session_reader", "thread_reader", "writer")
    ]


@pytest.fixture(name="database")
async def _database(sqlite_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url(sqlite_url), 100) as database:
        yield database


async def pulse(database: Database) -> str:
    async with database.read() as session:
        [[at]] = await session.exec(text("SELECT at FROM pulse"))  # type: ignore[call-overload]
    return str(at)


def beat(at: str) -> Callable[[Any], Any]:
    async def work(session: Any) -> None:
        await session.exec(text(f"UPDATE pulse SET at = '{at}'"))

    return work


@pytest.mark.parametrize("denied", STUCK[:2])
async def test_a_sessions_reader_recovers(database: Database, denied: Denied) -> None:
    assert isinstance(database, Sqlite)
    with suppress(DBAPIError):
        async with database.read() as session:
            await session.exec(text("BEGIN"))  # type: ignore[call-overload]
            await session.exec(text("SELECT at FROM pulse"))  # type: ignore[call-overload]
            raw = await (await session.connection()).get_raw_connection()
            driver: Any = raw.driver_connection
            deny(driver._conn.own, *denied)
    await database.write(beat("2030"))
    for _ in range(2 * sqlite.READERS):
        assert await pulse(database) == "2030"
    assert database.recoveries()["session_reader"] == len(denied) - 1


async def test_a_session_that_is_given_up_keeps_no_snapshot(database: Database, sqlite_url: str) -> None:
    """The statement continues in its thread, and its connection is closed afterwards."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), database.read() as session:
            await session.exec(text(LONG.replace("20000", "2000000")))  # type: ignore[call-overload]
    await database.write(beat("2030"))
    assert await pulse(database) == "2030"
    assert database.recoveries()["session_reader"] == 1
    other = sqlite_driver.connect(sqlite_url.removeprefix("sqlite:///"))
    await until(lambda: not other.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()[0][0], 20)
    other.close()
