"""Fork server: it ends with its parent, however early the parent dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.servers import ROOT

STARTS = """
import asyncio
from app.execution.processes import ChildProcesses
from app.settings import Settings

async def main():
    async with ChildProcesses(Settings(executor="app.execution.fake:FakeExecutor")) as children:
        while children._zygote is None:
            await asyncio.sleep(0)
        print(children._zygote.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells of a parent's death")
def test_a_parent_that_is_killed_before_the_process_has_begun_leaves_none() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        zygote = int(parent.stdout.readline())
        parent.kill()
    end = monotonic() + 10
    while lives(zygote):
        assert monotonic() < end, "it lives on"
        sleep(0.02)


def lives(pid: int) -> bool:
    """Return whether a process runs: a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
