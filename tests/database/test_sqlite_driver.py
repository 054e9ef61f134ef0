"""SQLite driver: its connections behave as aiosqlite and SQLAlchemy expect."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from app.database.sqlite import driver
from app.database.sqlite.driver import Connection
from tests.servers import ROOT

CREATE = "CREATE TABLE t (x PRIMARY KEY, y)"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    connection = Connection(str(tmp_path / "test.db"))
    connection.cursor().execute(CREATE)
    yield connection
    connection.close()


def test_columns_are_known_also_where_there_are_no_rows(connection: Connection) -> None:
    cursor = connection.cursor().execute("SELECT x, y AS z FROM t")
    assert cursor.description == (("x", *[None] * 6), ("z", *[None] * 6))
    assert (cursor.fetchone(), cursor.fetchall()) == (None, [])
    assert cursor.execute("DELETE FROM t").description is None


def test_rows_are_counted_as_they_change(connection: Connection) -> None:
    cursor = connection.cursor()
    assert cursor.executemany("INSERT INTO t VALUES (?, ?)", [(1, 1), (2, 1), (3, 2)]).rowcount == 3
    assert cursor.execute("UPDATE t SET y = 5 WHERE y = ?", (1,)).rowcount == 2
    assert cursor.execute("UPDATE t SET y = 5 WHERE y = ?", (1,)).rowcount == 0
    assert cursor.execute("SELECT x FROM t ORDER BY x").fetchmany(2) == [(1,), (2,)]
    assert cursor.fetchall() == [(3,)]


def test_a_transaction_is_ended_once(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("INSERT INTO t VALUES (1, 1)")
    assert connection.in_transaction
    connection.rollback()
    assert not connection.in_transaction
    connection.rollback()
    connection.commit()
    assert cursor.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("sql", "given", "kind", "code"),
    [
        ("INSERT INTO t VALUES (?, 0)", (1,), sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY),
        ("SELECT * FROM missing", (), sqlite3.OperationalError, sqlite3.SQLITE_ERROR),
        ("SELECT ?", (), sqlite3.ProgrammingError, 0),
        ("SELECT zeroblob(2000000000)", (), sqlite3.DataError, sqlite3.SQLITE_TOOBIG),
    ],
)
def test_errors_are_the_standard_librarys(
    connection: Connection, sql: str, given: tuple[Any, ...], kind: type[sqlite3.Error], code: int
) -> None:
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(kind) as raised:
        cursor.execute(sql, given)
    assert type(raised.value) is kind
    assert raised.value.sqlite_errorcode == code
    assert isinstance(raised.value.__cause__, apsw.Error)


async def test_sqlalchemy_works_with_it(tmp_path: Path) -> None:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/test.db", connect_args={"async_creator_fn": driver.connection}
    )
    async with engine.begin() as work:
        await work.execute(text(CREATE))
        await work.execute(text("INSERT INTO t VALUES (1, NULL)"))
        assert (await work.execute(text("SELECT * FROM t WHERE x = 2"))).all() == []
        assert (await work.execute(text("SELECT 'abc' REGEXP 'b.'"))).scalar() == 1
    with pytest.raises(IntegrityError):
        async with engine.begin() as work:
            await work.execute(text("INSERT INTO t VALUES (1, NULL)"))
    async with engine.connect() as work:
        assert (await work.execute(text("SELECT * FROM t"))).all() == [(1, None)]
    await engine.dispose()


async def test_a_file_that_cannot_be_opened_is_an_error_of_operation(tmp_path: Path) -> None:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/none/test.db", connect_args={"async_creator_fn": driver.connection}
    )
    with pytest.raises(OperationalError, match="unable to open"):
        async with engine.connect():
            pass
    await engine.dispose()
    await asyncio.sleep(0.1)  # aiosqlite's thread notifies the event loop of its end


def test_no_other_library_opens_the_database() -> None:
    """File locks belong to the process: a lock is lost if another library closes the file."""
    opening = re.compile(r"sqlite3\.connect\(|create_async_engine\(|create_engine\(|aiosqlite\.connect\(")
    folder = ROOT / "app"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.py") if opening.search(path.read_text())}
    # Engines use the driver. A backup is a process of its own, and keys have a file of their own.
    assert {each for each in found if not each.startswith("database/postgres/")} == {
        "auth/keys.py",
        "database/engines.py",
        "database/sqlite/backend.py",
        "database/sqlite/backup.py",
    }


async def test_a_thread_at_rest_holds_no_argument_and_no_result(tmp_path: Path) -> None:
    """A round of writes may hold megabytes, and the next one may come hours later."""

    class Held:
        pass

    made = driver.connection(str(tmp_path / "test.db"))
    async with made:
        argument = Held()
        result = await driver.run_in_thread(made, lambda given: [given, Held()], argument)
        left = [weakref.ref(each) for each in result]
        del argument, result
        assert [each() for each in left] == [None, None]
