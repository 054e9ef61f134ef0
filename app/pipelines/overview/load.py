"""Load of the workers: their heartbeats, and the pipelines of the caller that wait or run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import func
from sqlmodel import col, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.tables import HELD, QUEUED, Pipeline, Worker
from app.pipelines.access import visible_pipelines


class WorkerLoad(NamedTuple):
    """A worker."""

    id: str
    heartbeat_at: datetime
    running: int
    """Number of the caller's pipelines that it runs."""


async def queued(database: Database, caller: Caller) -> int:
    """Count the caller's pipelines that wait for a worker."""
    return await _count(database, caller, QUEUED)


async def running(database: Database, caller: Caller) -> int:
    """Count the caller's pipelines that workers run."""
    return await _count(database, caller, HELD)


async def running_by_worker(database: Database, caller: Caller) -> dict[str, int]:
    """Count the caller's pipelines that each worker runs; idle workers are left out."""
    worker = col(Pipeline.worker_id)
    query: Any = sa.select(worker, func.count()).where(HELD, visible_pipelines(caller)).group_by(worker)
    async with database.read() as session:
        return dict(map(tuple, await session.exec(query)))


async def workers(database: Database, caller: Caller) -> list[WorkerLoad]:
    """Load the workers that write heartbeats, each with the number of the caller's pipelines that it runs."""
    counts = await running_by_worker(database, caller)
    async with database.read() as session:
        rows = (await session.exec(select(Worker).order_by(col(Worker.id)))).all()
    return [WorkerLoad(row.id, row.heartbeat_at, counts.get(row.id, 0)) for row in rows]


async def _count(database: Database, caller: Caller, condition: sa.TextClause) -> int:
    query = select(func.count()).select_from(Pipeline).where(condition, visible_pipelines(caller))
    async with database.read() as session:
        return (await session.exec(query)).one()
