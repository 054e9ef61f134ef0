"""Runs survive a failing disk under the tables."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import httpx
import pytest

from tests.execution.conftest import FAKE, Runs
from tests.faults.disks import Make, limited, refusing

DISKS = {
    "EIO": refusing(errno.EIO),
    "ENOSPC": refusing(errno.ENOSPC, "-"),
    "file-size": limited,
}
FAILS = 3.0


@pytest.mark.slow
@pytest.mark.parallel
@pytest.mark.parametrize("disk", DISKS)
async def test_runs_end_when_the_disk_is_back(sqlite_url: str, tmp_path: Path, disk: str) -> None:
    make: Make = DISKS[disk]
    with make(sqlite_url, tmp_path, FAKE) as served:
        async with httpx.AsyncClient(base_url=served.server.url, timeout=30, trust_env=False) as http:
            runs = Runs(http)
            ids = [await runs.start({}, {"seconds": 1}, {}) for _ in range(6)]
            waiting = await runs.make({}, {})
            await runs.at_work(ids[0])
            with served.failing():
                answer = await http.post(f"/pipelines/{waiting}/start")
                assert answer.status_code in (200, 503), answer.text
                await asyncio.sleep(FAILS)
            ended = [await runs.end(id, 60) for id in ids]
            assert {pipeline["status"] for pipeline in ended} == {"COMPLETED"}
            assert ended[0]["elements"][0]["job"]["attempt"] == 1
            if answer.status_code == 200:
                assert (await runs.end(waiting))["status"] in ("COMPLETED", "FAILED")
            assert (await runs.end(await runs.start({})))["status"] == "COMPLETED"
