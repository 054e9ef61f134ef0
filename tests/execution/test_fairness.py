"""Fairness over a running server: the long queue of one organization does not delay another one."""

from __future__ import annotations

import asyncio
from time import monotonic

import httpx
import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.execution.conftest import FAKE, Runs
from tests.servers import serving

JOB = 2.0
"""Seconds of each job of the long queue."""
MARGIN = 1.5
"""Seconds that a busy machine may add."""


@pytest.mark.slow
@pytest.mark.parametrize("places", [1, 4])
async def test_1000_queued_pipelines_delay_another_organization_by_one_job(sqlite_url: str, places: int) -> None:
    async with open_keys(parsed(sqlite_url)) as keys:
        ours, theirs = [{"x-api-key": await keys.create(name)} for name in ("ours", "theirs")]
    with serving(sqlite_url, **FAKE | {"VOLTGRAPH_WORKERS": str(places)}) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60, headers=ours) as http,
            httpx.AsyncClient(base_url=server.url, timeout=60, headers=theirs) as other,
        ):
            crowd, lone = Runs(http), Runs(other)
            for _ in range(100):
                await asyncio.gather(*(crowd.start({"seconds": JOB}) for _ in range(10)))
            for _ in range(2):
                begin = monotonic()
                id = await lone.start({})
                assert (await lone.end(id, 2 * JOB + MARGIN))["status"] == "COMPLETED"
                assert monotonic() - begin < JOB + MARGIN
