"""Several workers on one PostgreSQL server: they share the work, and take over the pipelines of dead workers."""

from __future__ import annotations

from contextlib import ExitStack

import asyncpg
import httpx
import pytest

from tests.execution.conftest import FAKE, Runs
from tests.servers import Postgres, serving, working

TWO = {"VOLTGRAPH_WORKER_TIMEOUT": "6", "VOLTGRAPH_WORKER_ID": "machine"}


@pytest.mark.slow
async def test_two_workers_share_100_pipelines_and_nothing_runs_twice(postgres: Postgres) -> None:
    url = postgres.new_database()
    with ExitStack() as stack:
        server = stack.enter_context(serving(url))
        for _ in range(2):
            stack.enter_context(working(url, **FAKE, **TWO))
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            ids = [await runs.start({"seconds": 0.05}, {}) for _ in range(100)]
            pipelines = [await runs.end(id, 120) for id in ids]
            assert {pipeline["status"] for pipeline in pipelines} == {"COMPLETED"}
            assert {e["job"]["attempt"] for pipeline in pipelines for e in pipeline["elements"]} == {1}
            assert len(await holders(url)) == 2


@pytest.mark.slow
async def test_the_work_of_a_worker_that_died_is_taken_over(postgres: Postgres) -> None:
    url = postgres.new_database()
    with ExitStack() as stack:
        server = stack.enter_context(serving(url))
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            dying = stack.enter_context(working(url, **FAKE, **TWO))
            ids = [await runs.start({}, {"seconds": 5}, {}) for _ in range(4)]
            for id in ids:
                await runs.until(id, lambda pipeline: pipeline["progress"]["finished"] == 1)
            first = await holders(url)
            assert len(first) == 1
            dying.kill()  # at once: its jobs last for 5 s
            stack.enter_context(working(url, **FAKE, **TWO))
            for id in ids:
                pipeline = await runs.end(id, 60)
                assert pipeline["status"] == "COMPLETED"
                assert pipeline["elements"][0]["job"]["attempt"] == 1
            assert not first & await holders(url)


async def holders(url: str) -> set[str]:
    """Return the workers that last held the lease of a pipeline."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT DISTINCT worker_id FROM pipeline")
    await connection.close()
    return {row["worker_id"] for row in rows}
