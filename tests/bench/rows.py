"""Rows of the benchmarks: pipelines of 4 elements, equal in every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
import orjson

from app.auth.caller import LOCAL
from app.models.columns import instant_text
from app.models.enums import ElementType

PROJECTS = 20
STATUSES = ("PENDING", "COMPLETED", "FAILED", "CANCELED")
"""Statuses without work for a worker."""
START = datetime(2026, 1, 1, tzinfo=UTC)
PEERS_TABLES = Path(__file__).with_name("peers") / "tables.sql"
COMMON = ("id", "organization_id", "name", "status", "created_at", "updated_at", "attempt")
PIPELINE = (*COMMON, "project_id", "folded_name", "description")
TIMES = ("started_at", "finished_at", "duration")
"""Columns of ended runs, which the peers lack."""
ELEMENT = (*COMMON, "pipeline_id", "element_order", "element_type", "job_config")

_random = Random(1)
CONFIG = {"values": {f"Parameter {i} [m]": _random.random() for i in range(10)}, "source": "literature"}


def pipeline_id(number: int) -> str:
    """Return the id of the nth pipeline, from 1."""
    return str(UUID(int=number))


def created_at(number: int) -> datetime:
    """Return the creation time of the nth pipeline: one per second, rarely at a full second."""
    return START + timedelta(seconds=number, microseconds=number * 7919 % 1_000_000)


def pipelines(count: int) -> Iterator[tuple[object, ...]]:
    """Rows of PIPELINE's columns."""
    for i, status in enumerate(_statuses(count), start=1):
        common = _common(pipeline_id(i), i, f"Pipeline {i}", status)
        yield (*common, f"project-{i % PROJECTS}", f"pipeline {i}", f"Cell {i} of a series")


def timed(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Return rows with the columns TIMES."""
    for i, row in enumerate(rows, start=1):
        has_run = row[PIPELINE.index("status")] in ("COMPLETED", "FAILED")
        seconds = 1 + i * 7919 % 1000
        ends = [instant_text(created_at(i) + timedelta(seconds=each)) for each in (1, 1 + seconds)]
        yield (*row, *ends, float(seconds)) if has_run else (*row, None, None, None)


def _statuses(count: int) -> Iterator[str]:
    draw = Random(2)
    return (draw.choice(STATUSES) for _ in range(count))


def elements(count: int, config: bytes) -> Iterator[tuple[object, ...]]:
    """Return rows of ELEMENT's columns, four per pipeline."""
    text = config.decode()
    for i, status in enumerate(_statuses(count), start=1):
        for order, kind in enumerate(ElementType, start=1):
            common = _common(str(UUID(int=2**64 + 4 * i + order)), i, f"element {order}", status)
            yield (*common, pipeline_id(i), order, kind.name, text)


def _common(id: str, number: int, name: str, status: str) -> tuple[object, ...]:
    at = instant_text(created_at(number))
    return id, LOCAL.organization_id, name, status, at, at, 0


def fill_sqlite(file: Path, count: int, config: bytes = orjson.dumps(CONFIG)) -> None:
    """Write all rows into the tables of a file; the tables of a peer are created first."""
    database = sqlite3.connect(file, isolation_level=None)
    peer = not database.execute("SELECT 1 FROM sqlite_master").fetchone()
    if peer:
        database.executescript(f"PRAGMA journal_mode=WAL; {PEERS_TABLES.read_text()}")
    database.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000")
    database.execute("BEGIN")
    for table, columns, rows in _tables(count, config, peer=peer):
        marks = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


async def fill_postgres(url: str, count: int, *, peer: bool, config: bytes = orjson.dumps(CONFIG)) -> None:
    """Write all rows into PostgreSQL. The peers store times as text."""
    database = await asyncpg.connect(url)
    if peer:
        await database.execute(PEERS_TABLES.read_text())
    for table, columns, rows in _tables(count, config, peer=peer):
        times = [] if peer else [i for i, column in enumerate(columns) if column.endswith("_at")]
        await database.copy_records_to_table(table, columns=columns, records=(_parsed(row, times) for row in rows))
    await database.execute("ANALYZE")
    await database.close()


def _tables(
    count: int, config: bytes, *, peer: bool
) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[object, ...]]]]:
    if peer:
        yield "pipeline", PIPELINE, pipelines(count)
    else:
        yield "pipeline", (*PIPELINE, *TIMES), timed(pipelines(count))
    yield "pipeline_element", ELEMENT, elements(count, config)


def _parsed(row: tuple[object, ...], times: list[int]) -> tuple[object, ...]:
    return tuple(datetime.fromisoformat(str(each)) if i in times and each else each for i, each in enumerate(row))
