"""Limits of jobs: a job that takes too much ends with its coded failure, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.execution.conftest import Runs
from tests.execution.processes import below, children
from tests.execution.sandbox.test_probes import HERE, PROBE, pytestmark
from tests.servers import Server, serving

__all__ = ["pytestmark"]

LIMITS = {
    "VOLTGRAPH_JOB_MEMORY": str(256 << 20),
    "VOLTGRAPH_JOB_CPU": "1",
    "VOLTGRAPH_JOB_DISK": str(32 << 20),
    "VOLTGRAPH_JOB_FILES": "64",
    "VOLTGRAPH_JOB_RETRIES": "0",
}
MEMORY, DISK = ("MODEL_ERROR", "VOLTGRAPH_JOB_MEMORY"), ("MODEL_ERROR", "VOLTGRAPH_JOB_DISK")
ENDS = {
    "allocate": MEMORY,
    "map": MEMORY,
    "abort": MEMORY,
    "spin": ("EXECUTION_TIMEOUT", "VOLTGRAPH_JOB_CPU"),
    "fork": ("INTERNAL_ERROR", "PermissionError") if HERE.seccomp else ("EXECUTION_TIMEOUT", "VOLTGRAPH_JOB_CPU"),
    "file": DISK,
    "folder": DISK,
    "open": ("MODEL_ERROR", "VOLTGRAPH_JOB_FILES"),
    "crash": ("INTERNAL_ERROR", "died by SIGSEGV"),
}


ON_DEMAND = 3
"""Connections to the database that the server may open in the meantime; a leak of each job would be 20 descriptors."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(f"sqlite:///{folder}/runs.db", TMPDIR=str(folder), **PROBE, **LIMITS) as started:
        yield started


async def bombed(server: Server, bomb: str) -> dict[str, Any]:
    """Run a bomb, and return its element."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        runs = Runs(http)
        made = await runs.create(elements=[{"name": "e", "elementType": "CALCULATION", "jobConfig": {"bomb": bomb}}])
        await runs.run("StartPipeline", id=made["id"])
        assert (await runs.end(made["id"], 60))["status"] == "FAILED"
        element: dict[str, Any] = (await runs.run("PipelineResults", id=made["id"]))["elements"][0]
        return element


@pytest.mark.parametrize("bomb", ENDS)
async def test_a_job_that_takes_too_much_fails_with_the_limit(server: Server, bomb: str) -> None:
    code, words = ENDS[bomb]
    element = await bombed(server, bomb)
    assert (element["errorCode"], words in element["error"]) == (code, True), element["error"]


@pytest.mark.slow
@pytest.mark.parallel
async def test_twenty_in_a_row_leave_nothing(server: Server, folder: Path) -> None:
    for bomb in ENDS:  # opens what the server keeps open
        await bombed(server, bomb)
    settle(server, folder)
    before, opened_before = held(server)
    for number in range(20):
        await bombed(server, list(ENDS)[number % len(ENDS)])
    settle(server, folder)
    await asyncio.sleep(1)  # a connection of a client may still be closing
    after, opened = held(server)
    assert after <= before
    assert sum(opened) <= sum(opened_before) + ON_DEMAND


def settle(server: Server, folder: Path) -> None:
    """Wait until no process and no folder of a job is left."""
    end = monotonic() + 20
    while children(server) or list(folder.glob("voltgraph-*/job-*")):
        assert monotonic() < end
        sleep(0.05)


def held(server: Server) -> tuple[int, list[int]]:
    """Return the processes below the server, and the open descriptors of it and of its fork server."""
    pids = [server.process.pid, *map(int, below(server.process.pid))]
    return len(pids), [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids]
