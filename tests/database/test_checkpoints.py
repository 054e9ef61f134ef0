"""Checkpoints of SQLite's write-ahead log: beside the writer, and none of its commits copies the whole log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import current_thread
from typing import Any

import apsw
import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.connect import database_url
from app.database.sqlite import checkpoints
from app.database.sqlite.database import Sqlite

PAGES = 50
PAGE = 4096


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sqlite]:
    monkeypatch.setattr(checkpoints, "PAGES", PAGES)
    monkeypatch.setattr(checkpoints, "FURTHER", PAGES // 2)
    made = Sqlite(database_url(f"sqlite:///{tmp_path}/test.db"), 100)
    await made.write(lambda session: _run(session, "CREATE TABLE t (x)"))
    yield made
    await made.close()


async def _run(session: AsyncSession, statement: str) -> None:
    await session.exec(text(statement))  # type: ignore[call-overload]


async def fill(database: Sqlite, pages: int) -> None:
    """Write pages of the log, a few in each transaction."""
    for _ in range(pages // 5):
        await database.write(lambda session: _run(session, f"INSERT INTO t VALUES (zeroblob({4 * PAGE}))"))


async def test_the_log_begins_anew_while_writes_go_on(database: Sqlite, tmp_path: Path) -> None:
    await fill(database, 40 * PAGES)
    assert (tmp_path / "test.db-wal").stat().st_size < 20 * PAGES * PAGE
    assert (tmp_path / "test.db").stat().st_size > 10 * PAGES * PAGE


async def test_a_thread_copies_the_log(database: Sqlite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied, copy = [], database._writer._checkpoints._copy
    file = tmp_path / "test.db"

    def watched() -> None:
        before = file.stat().st_size
        copy()
        copied.append((current_thread().name, file.stat().st_size - before > PAGES // 2 * PAGE))

    monkeypatch.setattr(database._writer._checkpoints, "_copy", watched)
    await fill(database, 2 * PAGES)
    database._writer._checkpoints.close()
    assert set(copied) == {("checkpoint", True)}


async def test_no_failure_of_a_checkpoint_reaches_a_commit(database: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise apsw.CantOpenError("unable to open database file")

    monkeypatch.setattr(database._writer._checkpoints, "_connect", refuse)
    await fill(database, 4 * PAGES)
    async with asyncio.timeout(5), database.read() as session:
        assert (await session.exec(text("SELECT count(*) FROM t"))).scalar_one() > PAGES // 2  # type: ignore[call-overload]
