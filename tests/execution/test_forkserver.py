"""Fork server of child processes."""

from __future__ import annotations

import asyncio
import os
from time import monotonic, sleep
from typing import Any

import pytest

from app.execution import processes
from app.execution.processes import ChildProcesses
from tests.execution.processes import below
from tests.servers import Server


def test_jobs_give_way_to_whoever_asks(running: Server) -> None:
    [zygote] = map(int, below(running.process.pid))
    end = monotonic() + 10
    while os.getpriority(os.PRIO_PROCESS, zygote) < 10:
        assert monotonic() < end
        sleep(0.05)
    assert os.getpriority(os.PRIO_PROCESS, running.process.pid) == 0
    assert os.getsid(zygote) == os.getsid(running.process.pid)  # another session would have its own share of the CPU
    assert os.getpgid(zygote) == zygote


async def test_it_is_started_once_that_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    start, failed = asyncio.create_subprocess_exec, asyncio.Event()

    async def first_fails(*command: Any, **options: Any) -> Any:
        if failed.is_set():
            return await start(*command, **options)
        failed.set()
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", first_fails)
    monkeypatch.setattr(processes, "RESTART_DELAY", 0.01)
    check = {"kind": "check", "jobs": []}
    async with (
        asyncio.timeout(30),
        ChildProcesses("app.execution.fake:FakeExecutor") as kept,
        kept.child(check) as child,
    ):
        assert (await child.message())["kind"] == "faults"
    assert failed.is_set()
