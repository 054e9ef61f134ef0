"""Pipelines start soon, and wait for a place of the worker."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.execution.conftest import FAKE, Runs
from tests.servers import serving


async def test_pipelines_start_soon_and_wait_for_a_slot(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/runs.db", **(FAKE | {"VOLTGRAPH_WORKERS": "1"})) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            for id in [await runs.start({"seconds": 0.5}) for _ in range(3)]:
                assert (await runs.end(id, seconds=10))["status"] == "COMPLETED"
