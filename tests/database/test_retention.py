"""Retention: what is deleted leaves nothing behind, and everything else stays."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, col, func, select, update
from typer.testing import CliRunner

from app.auth.caller import Caller
from app.cli.commands import cli
from app.database import retention
from app.database.connect import database_url as parsed
from app.database.connect import exclusive, open_database
from app.database.interface import Database
from app.database.migrations import migrate
from app.database.retention import Removed
from app.errors import Rejected
from app.execution.executor import Progress
from app.execution.queue import RunQueue
from app.execution.streams.job_log import Line
from app.models.columns import now
from app.models.enums import ElementType, JobLogStream, SeriesSource
from app.models.tables import IdempotencyKey, Pipeline, PipelineElement, Worker
from app.pipelines import lifecycle, service
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create
from app.pipelines.lifecycle import QueueLimits
from tests import servers

ME = Caller("o")
KINDS_KEPT = {"measurement", "cell", "upload", "signing", "audit"}
LONG_AGO = now() - timedelta(days=40)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 1000) as opened:
        yield opened


async def create(database: Database, key: str | None = None) -> str:
    elements = SubmittedElements([("e", ElementType.DATA_FIT, {"values": "x" * 500})], None)
    draft = parse_create(project_id="p", name="n", elements=elements, idempotency_key=key)
    return (await service.create(database, ME, draft)).id


async def finish(database: Database, at: datetime | None = None, *, samples: int = 1, checkpoints: int = 1) -> str:
    """Run a pipeline with a series and checkpoints, that ended at a time."""
    id = await create(database)
    await lifecycle.start(database, QueueLimits(10), ME, id)
    [lease] = await RunQueue(database, "w").claim(1)
    [element] = await lease.elements()
    await lease.begin(element.id)
    series = {"objective": "a", "source": SeriesSource.OPTIMAL.name, "channels": [f"c{i}" for i in range(3)]}
    await lease.keep_series(element.id, 0, {**series, "samples": [b"12345678" * samples] * 3})
    for number in range(checkpoints):
        await lease.keep(element.id, Progress(number))
    await lease.keep_log(element.id, [Line(now(), JobLogStream.STDOUT, "line")] * 2)
    await lease.complete_element(element.id, {"parameter_values": {}}, is_last=True)
    if at is not None:
        await database.write(lambda session: session.exec(update(Pipeline).values(finished_at=at).where(_is(id))))
    return id


def _is(id: str) -> Any:
    return col(Pipeline.id) == id


async def rows(database: Database) -> dict[str, int]:
    async with database.read() as session:
        tables = [table for table in SQLModel.metadata.sorted_tables if table.name not in {"pulse", *KEPT}]
        return {t.name: (await session.exec(select(func.count()).select_from(t))).one() for t in tables}


KEPT = {table.name for table in SQLModel.metadata.sorted_tables if table.name.split("_")[0] in KINDS_KEPT}
"""Tables of measurements and cells, which live until their users delete them, and the audit log, which outlives all."""
EMPTY = {
    *("checkpoint", "idempotency_key", "job_log", "pipeline", "pipeline_element", "pipeline_measurement"),
    *("series_channel", "worker", "pipeline_label"),
}


async def test_old_runs_go_with_all_their_rows_and_others_stay(database: Database) -> None:
    for days in (31, 40, 50):
        await finish(database, now() - timedelta(days=days))
    kept = {await finish(database, now() - timedelta(days=29)), await finish(database), await create(database)}
    running = await create(database)
    await lifecycle.start(database, QueueLimits(10), ME, running)
    before = now() - timedelta(days=30)
    assert await retention.count(database, before) == Removed(pipelines=3)
    assert await retention.prune(database, before) == Removed(pipelines=3)
    async with database.read() as session:
        assert set(await session.exec(select(Pipeline.id))) == kept | {running}
    assert await rows(database) == {
        "checkpoint": 2,
        "idempotency_key": 0,
        "job_log": 4,
        "pipeline": 4,
        "pipeline_element": 4,
        "pipeline_label": 0,
        "pipeline_measurement": 0,
        "series_channel": 6,
        "worker": 0,
    }
    assert await retention.prune(database, before) == Removed()


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "cut"])
async def test_a_heavy_run_goes_in_parts_that_nobody_sees(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    monkeypatch.setattr(retention, "MOST_BYTES", 10_000)
    monkeypatch.setattr(retention, "MOST_CHECKPOINTS", 3)
    await finish(database, LONG_AGO, samples=1000)
    heavy = await finish(database, LONG_AGO, checkpoints=10)
    seen: list[str] = []
    real = retention._delete_part

    async def part(id: str, session: Any) -> bool:
        if is_cut and len(seen) == 3:
            raise ZeroDivisionError
        seen.append(id)
        return await real(id, session)

    monkeypatch.setattr(retention, "_delete_part", part)
    if is_cut:
        with pytest.raises(ZeroDivisionError):
            await retention.prune(database, now())
        with pytest.raises(Rejected, match="does not exist"):
            await service.delete(database, ME, heavy)
        monkeypatch.setattr(retention, "_delete_part", real)
        assert (await retention.prune(database, now())).pipelines == 0
    else:
        assert (await retention.prune(database, now())).pipelines == 2
        # Three channels of 8,000 bytes, one a transaction; ten checkpoints, three a transaction; the lines of
        # logs; and the pipelines.
        assert len(seen) == (3 + 1 + 1 + 1) + (1 + 4 + 1 + 1)
    assert await rows(database) == dict.fromkeys(EMPTY, 0)


async def test_subscribers_hear_of_deleted_runs(database: Database) -> None:
    await database.listen()
    id = await finish(database, LONG_AGO)
    with database.broker.subscribe(ME) as subscriber:
        await retention.prune(database, now() - timedelta(days=1))
        assert list(await subscriber.take(10)) == [id]


async def test_old_keys_go_once_their_pipelines_are_gone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEYS", 2)
    ids = [await create(database, f"k{i}") for i in range(7)]
    for id in ids[:5]:
        await service.delete(database, ME, id)
    young = IdempotencyKey.__table__.c.key == "k0"  # type: ignore[attr-defined]
    old = update(IdempotencyKey).where(~young).values(created_at=LONG_AGO)
    await database.write(lambda session: session.exec(old))
    before = now() - timedelta(days=30)
    assert (await retention.count(database, before)).idempotency_keys == 4
    assert (await retention.prune(database, before)).idempotency_keys == 4
    async with database.read() as session:
        assert sorted(await session.exec(select(IdempotencyKey.key))) == ["k0", "k5", "k6"]


async def test_rows_of_workers_go_unless_they_hold_pipelines(database: Database) -> None:
    await lifecycle.start(database, QueueLimits(10), ME, await create(database))
    await RunQueue(database, "holds").claim(1)

    async def beat(session: Any) -> None:
        for name, at in (("holds", LONG_AGO), ("old", LONG_AGO), ("young", now())):
            session.add(Worker(id=name, heartbeat_at=at))

    await database.write(beat)
    assert (await retention.prune(database, now() - timedelta(days=30))).workers == 1
    async with database.read() as session:
        assert sorted(await session.exec(select(Worker.id))) == ["holds", "young"]


async def test_a_deleted_pipeline_leaves_nothing(database: Database) -> None:
    await service.delete(database, ME, await finish(database))
    assert await rows(database) == dict.fromkeys(EMPTY, 0)


async def test_a_file_gives_space_back_while_it_is_used(sqlite_url: str, tmp_path: Path) -> None:
    url = parsed(f"sqlite:///{tmp_path}/fresh.db")
    await migrate(url)
    async with open_database(url, 1000) as database:
        for _ in range(3):
            await finish(database, LONG_AGO, samples=100_000)
        await retention.prune(database, now())
        free = await _pragma(database, "freelist_count")
        assert free > 1000
        await database.free_space()
        assert await _pragma(database, "freelist_count") == 0
        assert await _pragma(database, "page_count") < 200
        assert (await rows(database))["pipeline"] == 0


async def _pragma(database: Database, name: str) -> int:
    async with database.read() as session:
        number: int = (await (await session.connection()).exec_driver_sql(f"PRAGMA {name}")).scalar_one()
        return number


def command(url: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["prune", *arguments], env={"VOLTGRAPH_DATABASE_URL": url, "COLUMNS": "300"})
    return result.exit_code, " ".join(result.output.split())


def test_the_command_counts_then_deletes_and_rewrites_an_old_file(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as old:  # as earlier versions created it
        old.execute("PRAGMA journal_mode=DELETE")
        old.execute("PRAGMA auto_vacuum=NONE")
        old.execute("VACUUM")
    new = file.stat().st_size

    async def fill() -> None:
        async with open_database(parsed(sqlite_url), 1000) as database:
            for _ in range(5):
                await finish(database, LONG_AGO, samples=20_000)

    asyncio.run(fill())
    assert command(sqlite_url, "--older-than", "30d", "--dry-run") == (
        0,
        "Would delete: 5 pipelines, 0 idempotency keys, 0 workers, 0 queue rows.",
    )
    code, said = command(sqlite_url, "--older-than", "30d")
    assert (code, "Deleted: 5 pipelines," in said) == (0, True)
    assert file.stat().st_size < 1.2 * new
    with closing(sqlite3.connect(file)) as compacted:
        assert compacted.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert compacted.execute("SELECT count(*) FROM pipeline_element").fetchone() == (0,)


def test_the_command_removes_deleted_names_from_the_search_and_keeps_others(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))

    async def fill() -> None:
        async with open_database(parsed(sqlite_url), 1000) as database:
            await finish(database, LONG_AGO)
            await finish(database, now())

    asyncio.run(fill())
    assert command(sqlite_url, "--older-than", "3000d")[0] == 0
    new = file.stat().st_size
    with closing(sqlite3.connect(file)) as connection, connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(pipeline)")]
        changed = {"id": "hex(randomblob(16))", "name": "hex(randomblob(40))", "folded_name": "hex(randomblob(40))"}
        copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO pipeline "
        old = "FROM pipeline, n WHERE finished_at = (SELECT min(finished_at) FROM pipeline)"
        connection.execute(f"{copies} SELECT {', '.join(changed.get(name, name) for name in columns)} {old}")
        newest = "finished_at = (SELECT max(finished_at) FROM pipeline)"
        connection.execute(f"UPDATE pipeline SET folded_name = 'a kept name' WHERE {newest}")
    code, said = command(sqlite_url, "--older-than", "30d")
    assert (code, "Deleted: 3,001 pipelines," in said) == (0, True), said
    assert file.stat().st_size < 1.2 * new
    with closing(sqlite3.connect(file)) as compacted:
        found = "SELECT folded_name FROM pipeline JOIN pipeline_search ON pipeline_search.rowid = pipeline.rowid"
        assert compacted.execute(f"{found} WHERE pipeline_search MATCH 'kep'").fetchall() == [("a kept name",)]


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1w", "1e9d", "9999999d", ""])
def test_an_age_that_is_none_is_refused(sqlite_url: str, age: str) -> None:
    code, said = command(sqlite_url, f"--older-than={age}")
    assert code == 2
    assert "30d, 12h or 15m" in said or "before the first year" in said


def test_a_file_that_is_served_is_not_pruned_by_another_process(sqlite_url: str) -> None:
    with exclusive(parsed(sqlite_url)):
        code, said = command(sqlite_url, "--older-than", "1d")
    assert code == 2
    assert "VOLTGRAPH_KEEP_DAYS" in said


async def test_rows_of_the_old_queue_go_and_those_of_other_applications_stay(postgres: servers.Postgres) -> None:
    url = parsed(postgres.new_database())
    async with open_database(url, 1000) as database:
        assert await database.count_old_queue() == await database.remove_old_queue() == 0

        async def fill(session: Any) -> None:
            await session.exec(text("CREATE SCHEMA dbos"))
            columns = "workflow_uuid TEXT PRIMARY KEY, name TEXT, queue_name TEXT"
            await session.exec(text(f"CREATE TABLE dbos.workflow_status ({columns})"))
            for id, name in (("1", "run_pipeline"), ("2", "run_pipeline"), ("3", "other")):
                await session.exec(text(f"INSERT INTO dbos.workflow_status VALUES ('{id}', '{name}', 'pipelines')"))

        await database.write(fill)
        assert (await retention.count(database, now())).queue_rows == 2
        assert (await retention.prune(database, now())).queue_rows == 2
        assert await database.count_old_queue() == 0
        async with database.read() as session:
            left = await session.exec(text("SELECT workflow_uuid FROM dbos.workflow_status"))  # type: ignore[call-overload]
            assert left.scalars().all() == ["3"]


def test_the_file_of_the_old_queue_is_removed(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}.engine{suffix}").write_bytes(b"old")

    async def open_and_close() -> None:
        async with open_database(parsed(sqlite_url), 10):
            pass

    asyncio.run(open_and_close())
    assert [name for name in os.listdir(file.parent) if "engine" in name] == []


def test_every_table_is_known_to_retention() -> None:
    """A new table needs a rule: its rows go with a pipeline, or by an age."""
    assert {table.name for table in SQLModel.metadata.sorted_tables} == EMPTY | KEPT | {"pulse"}
    assert PipelineElement.__tablename__ in EMPTY
