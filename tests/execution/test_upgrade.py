"""A run of a version whose queue was DBOS continues after the upgrade, whatever its state was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.database.connect import database_url as parsed
from app.database.migrations import migrate
from tests.execution.conftest import FAKE, Runs
from tests.servers import Postgres, serving

AT = "2026-11-23T10:00:00.000000Z"
WORKERS = {"queued": None, "taken": "local", "of-a-machine": "host-01a2284e-0000-7000-8000-000000000000"}
"""Workers of the runs at the time of the upgrade, by the run's id."""


async def fill(url: str) -> None:
    """Store runs as the revision before the queue did."""
    await migrate(parsed(url), "0005")
    engine = create_async_engine(parsed(url), poolclass=NullPool)
    async with engine.begin() as connection:
        for id, worker in WORKERS.items():
            held = f"'{worker}', 1" if worker else "NULL, 0"
            await connection.execute(
                text(
                    "INSERT INTO pipeline (id, organization_id, project_id, name, folded_name, status, created_at,"
                    " updated_at, started_at, worker_id, attempt)"
                    f" VALUES ('{id}', 'local', 'p', 'n', 'n', 'RUNNING', '{AT}', '{AT}', '{AT}', {held})"
                )
            )
            for order, (status, attempt) in enumerate([("COMPLETED", 1), ("RUNNING" if worker else "PENDING", 0)], 1):
                result = "'{}'" if status == "COMPLETED" else "NULL"
                await connection.execute(
                    text(
                        "INSERT INTO pipeline_element (id, pipeline_id, organization_id, name, element_order,"
                        " element_type, status, job_id, job_status, created_at, updated_at, attempt, result,"
                        " job_config)"
                        f" VALUES ('{id}-{order}', '{id}', 'local', 'e{order}', {order}, 'DIRECT_ENTRY', '{status}',"
                        f" 'job-{id}-{order}', '{status}', '{AT}', '{AT}', {attempt}, {result}, '{{}}')"
                    )
                )
    await engine.dispose()


@asynccontextmanager
async def upgraded(url: str) -> AsyncIterator[Runs]:
    with serving(url, **FAKE, VOLTGRAPH_WORKER_TIMEOUT="6") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            yield Runs(http)


async def check(runs: Runs) -> None:
    for id in WORKERS:
        pipeline = await runs.end(id, 60)
        assert pipeline["status"] == "COMPLETED"
        assert [element["job"]["attempt"] for element in pipeline["elements"]] == [1, 1]


async def test_runs_of_a_file_continue_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    await fill(url)
    async with upgraded(url) as runs, asyncio.timeout(30):
        await check(runs)


@pytest.mark.slow
async def test_runs_of_a_server_are_taken_over(postgres: Postgres) -> None:
    url = postgres.new_database(empty=True)
    await fill(url)
    async with upgraded(url) as runs:
        await check(runs)
