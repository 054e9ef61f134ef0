"""Fork server of child processes."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from app.execution import processes
from app.execution.processes import ChildProcesses, ForkServerFailed
from app.settings import Settings
from tests.execution.conftest import Runs
from tests.execution.processes import below
from tests.servers import Server

FAKE = Settings(executor="app.execution.fake:FakeExecutor")


async def test_jobs_give_way_to_whoever_asks(running: Server, runs: Runs) -> None:
    await runs.at_work(await runs.start({"seconds": 20}))
    [zygote] = map(int, below(running.process.pid))
    assert {os.getpriority(os.PRIO_PROCESS, int(job)) for job in below(zygote)} == {10}
    assert os.getpriority(os.PRIO_PROCESS, zygote) == os.getpriority(os.PRIO_PROCESS, running.process.pid) == 0
    assert os.getsid(zygote) == os.getsid(running.process.pid)  # another session would have its own share of the CPU
    assert os.getpgid(zygote) == zygote


PROBE = Settings(executor="tests.execution.sandbox.probe:ProbeExecutor", job_cpu=60)
SPINNING = {"kind": "run", "jobs": [{"name": "a", "type": "CALCULATION", "config": {"bomb": "spin"}}], "inputs": {}}


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="Linux")
async def test_a_job_runs_while_a_core_is_idle_and_a_little_beside_a_process_that_takes_it() -> None:
    core = {min(os.sched_getaffinity(0))}
    async with asyncio.timeout(60), ChildProcesses(PROBE) as kept, kept.child(SPINNING) as job:
        while os.sched_getscheduler(job.pid) != os.SCHED_IDLE:  # noqa: ASYNC110  in another process
            await asyncio.sleep(0.01)
        os.sched_setaffinity(job.pid, core)
        endless = f"import os; os.sched_setaffinity(0, {core})\nwhile True: pass"
        busy = await asyncio.create_subprocess_exec(sys.executable, "-c", endless)
        try:
            await asyncio.sleep(1)  # until the job has used up what it was due
            before = _nanoseconds(job.pid)
            while _nanoseconds(job.pid) == before:  # noqa: ASYNC110  in another process
                await asyncio.sleep(0.05)
        finally:
            busy.kill()
            await busy.wait()


def _nanoseconds(pid: int) -> int:
    """Return the time that a process has run on a core."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


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
        ChildProcesses(Settings(executor="app.execution.fake:FakeExecutor")) as kept,
        kept.child(check) as child,
    ):
        assert (await child.message())["kind"] == "faults"
    assert failed.is_set()


CHILD = """
import os, socket
from app.execution.fake import FakeExecutor
from app.execution.forkserver import _child
from app.execution.messages import packed

LIMITS = {"memory": 1 << 32, "cpu": 60, "disk": 1 << 20, "files": 64}
CONFINED = {"limits": LIMITS, "folder": "/", "sandbox": "off", "nice": 0}
worker, connection = socket.socketpair()
jobs = [{"name": "a", "type": "DIRECT_ENTRY", "config": {"fake": {"steps": 50, "seconds": 1}}}]
if BEGINS:
    worker.sendall(packed({"kind": "run", "jobs": jobs, "inputs": {}, **CONFINED}))
else:
    worker.close()
if os.fork() == 0:
    worker.close()
    _child(connection, [1, 2, 2], FakeExecutor(), os.getppid(), [])
connection.close()
if BEGINS:
    worker.recv(1)
    worker.close()
os.wait()
"""


@pytest.mark.parametrize("begins", [False, True], ids=["before it begins", "while it runs"])
def test_a_job_ends_silently_if_its_worker_is_gone(begins: bool) -> None:
    code = CHILD.replace("BEGINS", str(begins))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


async def test_folders_of_killed_workers_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("voltgraph-killed", "voltgraph-new", "voltgraph-other"):
        (tmp_path / name / "job-1").mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / name / ("a" if name == "voltgraph-other" else "children")))
            listener.listen()
        if name != "voltgraph-new":
            os.utime(tmp_path / name, (0, 0))
    settings = Settings(executor="app.execution.fake:FakeExecutor")
    async with ChildProcesses(settings) as first:
        os.utime(first._folder.name, (0, 0))
        async with ChildProcesses(settings):
            assert {"voltgraph-new", "voltgraph-other"} < set(os.listdir(tmp_path))
            assert "voltgraph-killed" not in os.listdir(tmp_path)
            assert "children" in os.listdir(first._folder.name)
    assert set(os.listdir(tmp_path)) == {"voltgraph-new", "voltgraph-other"}


async def test_jobs_fail_with_the_reason_if_it_cannot_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ctypes.py").write_text("raise ImportError('this ctypes is broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(processes, "RESTART_DELAY", 0.01)
    async with asyncio.timeout(60), ChildProcesses(FAKE) as children:
        with pytest.raises(ForkServerFailed, match=r"cannot start: (.|\n)*this ctypes is broken"):
            async with children.child({"kind": "check", "jobs": []}):
                pass
        monkeypatch.delenv("PYTHONPATH")  # mended: it starts again, and jobs run
        while True:
            try:
                async with children.child({"kind": "check", "jobs": []}) as child:
                    assert (await child.message())["kind"] == "faults"
                    break
            except ForkServerFailed:
                await asyncio.sleep(0.01)
    assert caplog.text.count("the fork server ended") >= processes.TRIES


async def test_it_imports_nothing_of_the_current_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("app", "schema", "queries"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('foreign code was imported')\n")
    monkeypatch.chdir(tmp_path)
    async with (
        asyncio.timeout(60),
        ChildProcesses(FAKE) as children,
        children.child({"kind": "check", "jobs": []}) as child,
    ):
        assert (await child.message())["kind"] == "faults"
