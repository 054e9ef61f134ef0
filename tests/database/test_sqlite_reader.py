"""SQLite readers: each query sees one snapshot, and none blocks the event loop for long."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from app.database.interface import ReadBudget, Steps, TooLong, measured
from app.database.recoveries import Recoveries
from app.database.sqlite import driver, reader
from app.database.sqlite.reader import RESTING, SqliteReader

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n"
HERE = threading.main_thread().name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "test.db"
    connection = driver.connect(str(path))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path


@pytest.fixture
def own(file: Path) -> Iterator[SqliteReader]:
    found = SqliteReader(partial(driver.connect, str(file)), threads=2, recoveries=Recoveries())
    yield found
    found.close()


def reading(*statements: str) -> Steps[tuple[list[Any], str]]:
    """Query that returns the rows of each statement, and the thread that read them."""
    found = []
    for statement in statements:
        found.append((yield statement, ()))
    return found, threading.current_thread().name


async def test_a_short_series_is_read_at_once(own: SqliteReader) -> None:
    assert await own.run(lambda: reading("SELECT 1", "SELECT 2"), ReadBudget(is_single=False)) == (
        [[(1,)], [(2,)]],
        HERE,
    )


async def test_a_series_sees_one_snapshot(own: SqliteReader, file: Path) -> None:
    def meanwhile() -> Steps[list[Any]]:
        before = yield "SELECT * FROM t", ()
        connection = driver.connect(str(file))
        connection.execute("INSERT INTO t VALUES (1)")
        connection.close()
        return [before, (yield "SELECT * FROM t", ())]

    assert await own.run(meanwhile, ReadBudget(is_single=False)) == [[], []]
    with own.written():
        pass
    assert (await own.run(lambda: reading("SELECT * FROM t"), ReadBudget(is_single=False)))[0] == [[(1,)]]


def insert(file: Path) -> None:
    connection = driver.connect(str(file))
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()


async def rows(own: SqliteReader) -> list[Any]:
    [found], _ = await own.run(lambda: reading("SELECT * FROM t"), ReadBudget(is_single=True))
    return list(found)


async def test_what_is_written_is_read_as_soon_as_that_is_told(own: SqliteReader, file: Path) -> None:
    assert await rows(own) == []
    with own.written():
        insert(file)
        assert await rows(own) == [(1,)]
        insert(file)
        assert await rows(own) == [(1,)] * 2
    assert await rows(own) == [(1,)] * 2


async def test_what_nobody_told_of_is_read_a_moment_later(own: SqliteReader, file: Path) -> None:
    assert await rows(own) == []
    insert(file)
    assert await rows(own) == []
    await asyncio.sleep(2 * reader.HELD)
    assert await rows(own) == [(1,)]


async def test_a_series_that_fails_ends_the_snapshot_that_it_shared(own: SqliteReader, file: Path) -> None:
    assert await rows(own) == []
    insert(file)
    with pytest.raises(apsw.SQLError, match="no such table"):
        await own.run(lambda: reading("SELECT * FROM missing"), ReadBudget(is_single=False))
    assert await rows(own) == [(1,)]


async def test_a_long_series_goes_to_a_thread_and_so_do_the_next_of_its_kind(
    own: SqliteReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOMENTS", 0.0)
    pace = ReadBudget(is_single=False)
    for resting in (RESTING, RESTING - 1):
        found, thread = await own.run(lambda: reading(LONG), pace)
        assert found == [[(20000,)]]
        assert thread != HERE
        assert pace.resting == resting
    assert (await own.run(lambda: reading("SELECT 1"), ReadBudget(is_single=False)))[1] == HERE


async def test_long_series_are_read_side_by_side(own: SqliteReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOMENTS", 0.0)
    pace = ReadBudget(is_single=False)
    found = await asyncio.gather(*(own.run(lambda: reading(LONG), pace) for _ in range(5)))
    assert [rows for rows, _ in found] == [[[(20000,)]]] * 5


async def test_what_a_series_raises_is_raised_and_hurts_no_other(own: SqliteReader) -> None:
    def wrong() -> Steps[None]:
        yield "SELECT 1", ()
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        await own.run(wrong, ReadBudget(is_single=False))
    with pytest.raises(apsw.SQLError, match="no such table"):
        await own.run(lambda: reading("SELECT * FROM missing"), ReadBudget(is_single=False))
    assert (await own.run(lambda: reading("SELECT 1"), ReadBudget(is_single=False)))[0] == [[(1,)]]


async def test_only_the_read_that_is_timed_is_interrupted(own: SqliteReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite counts instructions over all runs of a statement. With this GLANCE the progress handler is called at many
    a BEGIN and COMMIT, at which any time since an earlier read would exceed the budget."""
    monkeypatch.setattr(reader, "GLANCE", 7)
    monkeypatch.setattr(reader, "MOMENTS", 0.0)
    interrupted = 0
    for _ in range(2000):
        with contextlib.suppress(*reader.GIVEN_UP):
            own._run_here(reading("SELECT 1"), ReadBudget(is_single=False))
        interrupted += own._held is None
        with own.written():
            pass
        assert own._own is not None
        assert not own._own._connection.in_transaction
    assert interrupted < 2000
    assert own._recoveries()[reader.EVENT_LOOP_READER] == 0


async def test_long_rows_are_measured_one_by_one(own: SqliteReader) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i, {} FROM n"
    long, short = rows.format("CAST(zeroblob(300000) AS TEXT)"), rows.format("'x'")
    batches: list[int] = []

    class Counting:
        places = (1,)

        def __call__(self, rows: Sequence[Any]) -> None:
            batches.append(len(rows))
            if sum(batches) == 3:
                raise TooLong

    def steps(sql: str) -> Steps[int]:
        return len((yield measured((sql, ()), Counting())))

    with pytest.raises(TooLong):
        await own.run(lambda: steps(long), ReadBudget(is_single=True))
    assert batches == [1, 1, 1]
    batches.clear()
    assert await own.run(lambda: steps(short), ReadBudget(is_single=True)) == 100
    assert batches == [100]


async def test_a_statement_is_parsed_once_for_all_values(file: Path) -> None:
    parsed: list[object] = []

    def authorize(*action: object) -> int:
        parsed.append(action)
        return apsw.SQLITE_OK

    def connect() -> apsw.Connection:
        connection = driver.connect(str(file))
        connection.authorizer = authorize
        return connection

    def page(limit: int) -> Steps[list[Any]]:
        return (yield "SELECT value FROM json_each(?) LIMIT ?", ("[1, 2, 3]", limit))

    with contextlib.closing(SqliteReader(connect, threads=1, recoveries=Recoveries())) as own:
        calls = []
        for limit in (1, 2, 3):
            assert len(await own.run(partial(page, limit), ReadBudget(is_single=True))) == limit
            calls.append(len(parsed))
    assert calls[0] == calls[2]
