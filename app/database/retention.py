"""Retention: deletes old finished runs, and the rows that outlive them, in small transactions that delay no writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import changes
from app.database.interface import Database
from app.models.enums import ElementType
from app.models.sql import sql_of
from app.models.tables import ENDED, HELD, IdempotencyKey, Pipeline, Worker

ROUND = 20
"""Maximum number of pipelines of a transaction."""
MOST_BYTES, MOST_CHECKPOINTS = 4_000_000, 4_000
"""Maximum bytes of series, and maximum number of checkpoints and lines of logs, that a transaction deletes: a few
milliseconds."""
KEYS = 500
"""Number of idempotency keys that are examined at once."""
HIDDEN = "\x7fdeleted"
"""Organization of a pipeline that is deleted in several transactions. No API key belongs to it, so that no caller sees
what is left of the pipeline."""
COPYING = "\x7fcopying"
"""Organization of a pipeline that is copied in several transactions, until the last one."""
PIPELINE, ELEMENT, CHECKPOINT, SERIES, KEY = (
    SQLModel.metadata.tables[name]
    for name in ("pipeline", "pipeline_element", "checkpoint", "series_channel", "idempotency_key")
)
LINE = SQLModel.metadata.tables["job_log"]
CHANNEL = tuple(SERIES.primary_key.columns)


@dataclass(slots=True)
class Removed:
    """Numbers of removed rows."""

    pipelines: int = 0
    idempotency_keys: int = 0
    workers: int = 0
    queue_rows: int = 0
    """Rows of the queue that earlier versions had in PostgreSQL's schema `dbos`."""

    @property
    def total(self) -> int:
        """Number of all rows."""
        return sum(getattr(self, each.name) for each in fields(self))

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, each.name):,} {each.name.replace('_', ' ')}" for each in fields(self))


async def count(database: Database, before: datetime) -> Removed:
    """Count the rows that `prune` would remove."""
    gone = sa.select(func.count()).select_from(KEY).where(*_stale_keys(before))
    async with database.read() as session:
        connection = await session.connection()
        counted = [
            (await connection.execute(query)).scalar_one()
            for query in (sa.select(func.count()).select_from(PIPELINE).where(*_old(before)), gone, _silent(before))
        ]
    pipelines, keys, workers = counted
    return Removed(pipelines, keys, workers, await database.count_old_queue())


async def prune(
    database: Database,
    before: datetime,
    pause: float = 0.0,
    removed_some: Callable[[int], object] = lambda number: None,
) -> Removed:
    """Remove the pipelines that ended before a time, with all their rows; older idempotency keys whose pipelines are
    gone; older rows of workers; and the queue of earlier versions. Sleep for `pause` seconds after each transaction.
    Call `removed_some` with the number of rows of each step."""
    removed = Removed()
    await _purge_hidden(database, pause)
    while ids := await _remove_round(database, before, pause):
        removed.pipelines += len(ids)
        removed_some(len(ids))
        await asyncio.sleep(pause)
    async with aclosing(_remove_keys(database, before)) as rounds:
        async for number in rounds:
            removed.idempotency_keys += number
            removed_some(number)
            await asyncio.sleep(pause)
    removed.workers = await _remove_workers(database, before)
    removed_some(removed.workers)
    while number := await database.remove_old_queue():
        removed.queue_rows += number
        removed_some(number)
        await asyncio.sleep(pause)
    return removed


def _old(before: datetime) -> tuple[Any, ...]:
    return ENDED, PIPELINE.c.finished_at < before, PIPELINE.c.organization_id != HIDDEN


async def _remove_round(database: Database, before: datetime, pause: float) -> list[str]:
    """Remove a few of the oldest pipelines; return their ids, none if no old one is left."""
    query = sa.select(PIPELINE.c.id).where(*_old(before)).order_by(PIPELINE.c.finished_at).limit(ROUND)
    async with database.read() as session:
        connection = await session.connection()
        ids = list((await connection.execute(query)).scalars())
        weights = await _weights(session, ids)
    for light in _packed(ids, weights):
        await database.write(partial(_delete, light, before))
        await asyncio.sleep(pause)
    for id in ids:
        if _is_heavy(weights.get(id, (0, 0))):
            await database.write(partial(_hide, id, before))
            await asyncio.sleep(pause)
    await _purge_hidden(database, pause)
    return ids


async def _weights(session: AsyncSession, ids: list[str]) -> dict[str, tuple[int, int]]:
    """Return the bytes of series, and the number of checkpoints and lines of logs, of pipelines that have any."""
    connection = await session.connection()
    owner = sa.select(ELEMENT.c.pipeline_id, ELEMENT.c.id).where(ELEMENT.c.pipeline_id.in_(ids)).subquery()
    octets = sql_of(connection.dialect).octets(SERIES.c.samples)
    found: dict[str, tuple[int, int]] = {}
    for place, table, weight in ((0, SERIES, func.sum(octets)), (1, CHECKPOINT, func.count()), (1, LINE, func.count())):
        query = sa.select(owner.c.pipeline_id, weight).join(table, table.c.element_id == owner.c.id)
        for id, number in await connection.execute(query.group_by(owner.c.pipeline_id)):
            before = found.get(id, (0, 0))
            found[id] = (int(number), before[1]) if place == 0 else (before[0], before[1] + int(number))
    return found


def _is_heavy(weight: tuple[int, int]) -> bool:
    return weight[0] > MOST_BYTES or weight[1] > MOST_CHECKPOINTS


def _packed(ids: list[str], weights: dict[str, tuple[int, int]]) -> Iterable[list[str]]:
    """Group the pipelines that are not heavy, so that a group is not heavy either."""
    group: list[str] = []
    total = (0, 0)
    for id in ids:
        own = weights.get(id, (0, 0))
        if _is_heavy(own):
            continue
        total = total[0] + own[0], total[1] + own[1]
        if group and _is_heavy(total):
            yield group
            group, total = [], own
        group.append(id)
    if group:
        yield group


async def _delete(ids: list[str], before: datetime, session: AsyncSession) -> None:
    """Delete pipelines with all their rows. Those that another process is deleting are skipped."""
    rows = await _lock_and_record(session, ids, before)
    await session.exec(sa.delete(PIPELINE).where(PIPELINE.c.id.in_([row.id for row in rows])))


async def _hide(id: str, before: datetime, session: AsyncSession) -> None:
    """Hide a pipeline from all callers, as if it were deleted."""
    if await _lock_and_record(session, [id], before):
        await session.exec(sa.update(PIPELINE).where(PIPELINE.c.id == id).values(organization_id=HIDDEN))
        await session.exec(sa.update(ELEMENT).where(ELEMENT.c.pipeline_id == id).values(organization_id=HIDDEN))


async def _lock_and_record(session: AsyncSession, ids: list[str], before: datetime) -> Sequence[sa.Row[Any]]:
    """Lock pipelines, record their deletion for subscribers, and return their rows."""
    connection = await session.connection()
    query = sa.select(PIPELINE).where(*_old(before), PIPELINE.c.id.in_(ids)).with_for_update(skip_locked=True)
    rows = (await connection.execute(query)).all()
    types: dict[str, set[ElementType]] = {row.id: set() for row in rows}
    theirs = sa.select(ELEMENT.c.pipeline_id, ELEMENT.c.element_type).where(ELEMENT.c.pipeline_id.in_(types))
    for id, kind in await connection.execute(theirs.distinct()):
        types[id].add(kind)
    for row in rows:
        snapshot = changes.take_snapshot(row, frozenset(types[row.id]))
        await changes.record(session, changes.Change(row.organization_id, row.id, snapshot, None))
    return rows


async def _purge_hidden(database: Database, pause: float) -> None:
    """Delete the rows of hidden pipelines in parts, then the pipelines. A crash leaves them to the next round."""
    async with database.read() as session:
        hidden = list(await session.exec(select(Pipeline.id).where(col(Pipeline.organization_id) == HIDDEN)))
    for id in hidden:
        await purge(database, id, pause)


async def purge_copies(database: Database, before: datetime) -> None:
    """Delete the copies begun before a time that a killed process left unfinished."""
    theirs = col(Pipeline.organization_id) == COPYING, col(Pipeline.created_at) < before
    async with database.read() as session:
        ids = list(await session.exec(select(Pipeline.id).where(*theirs)))
    for id in ids:
        await purge(database, id)


async def purge(database: Database, id: str, pause: float = 0.0) -> None:
    """Delete the rows of a hidden pipeline in parts, then the pipeline."""
    is_left = True
    while is_left:
        is_left = await database.write(partial(_delete_part, id))
        await asyncio.sleep(pause)


async def _delete_part(id: str, session: AsyncSession) -> bool:
    """Delete some rows of a pipeline, and at last the pipeline. Return whether anything is left."""
    connection = await session.connection()
    theirs = sa.select(ELEMENT.c.id).where(ELEMENT.c.pipeline_id == id)
    octets = sql_of(connection.dialect).octets(SERIES.c.samples)
    channels = (await connection.execute(sa.select(*CHANNEL, octets).where(SERIES.c.element_id.in_(theirs)))).all()
    if channels:
        this = [column == sa.bindparam(f"its_{column.name}") for column in CHANNEL]
        some = [dict(zip((f"its_{c.name}" for c in CHANNEL), key, strict=True)) for key in _first(channels)]
        await connection.execute(sa.delete(SERIES).where(*this), some)
        return True
    for table in (CHECKPOINT, LINE):
        first = sa.select(table.c.element_id, table.c.number).where(table.c.element_id.in_(theirs))
        if (found := (await connection.execute(first.limit(1))).first()) is not None:
            element_id, number = found
            upto = table.c.number < number + MOST_CHECKPOINTS
            await connection.execute(sa.delete(table).where(table.c.element_id == element_id, upto))
            return True
    await connection.execute(sa.delete(PIPELINE).where(PIPELINE.c.id == id))
    return False


def _first(channels: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the keys of the first channels, with at most MOST_BYTES together, but at least one."""
    chosen: list[Sequence[Any]] = []
    total = 0
    for channel in channels:
        total += channel[-1]
        if chosen and total > MOST_BYTES:
            break
        chosen.append(channel[:-1])
    return chosen


def _stale_keys(before: datetime) -> tuple[Any, ...]:
    return KEY.c.created_at < before, ~sa.exists().where(PIPELINE.c.id == KEY.c.pipeline_id)


async def _remove_keys(database: Database, before: datetime) -> AsyncGenerator[int]:
    """Remove old idempotency keys whose pipelines are gone, in the order of the primary key; yield the number of each
    round."""
    columns = [KEY.c[name] for name in ("organization_id", "project_id", "key")]
    last: tuple[str, ...] = ("", "", "")
    while True:
        following = sa.select(*columns).where(sa.tuple_(*columns) > sa.tuple_(*map(sa.literal, last)))
        async with database.read() as session:
            connection = await session.connection()
            keys = [tuple(row) for row in await connection.execute(following.order_by(*columns).limit(KEYS))]
        if not keys:
            return
        last, first = keys[-1], keys[0]
        span = [sa.tuple_(*columns) >= sa.tuple_(*map(sa.literal, first))]
        span.append(sa.tuple_(*columns) <= sa.tuple_(*map(sa.literal, last)))
        yield await _deleted(database, sa.delete(IdempotencyKey).where(*span, *_stale_keys(before)))


def _silent(before: datetime) -> Any:
    return sa.select(func.count()).select_from(Worker).where(*_is_silent(before))


def _is_silent(before: datetime) -> tuple[Any, ...]:
    held = select(Pipeline.worker_id).where(HELD)
    return col(Worker.heartbeat_at) < before, col(Worker.id).not_in(held)


async def _remove_workers(database: Database, before: datetime) -> int:
    return await _deleted(database, sa.delete(Worker).where(*_is_silent(before)))


async def _deleted(database: Database, statement: sa.Delete) -> int:
    """Execute a DELETE in a transaction of its own; return the number of rows."""

    async def work(session: AsyncSession) -> int:
        number: int = (await session.exec(statement)).rowcount
        return number

    return await database.write(work)
