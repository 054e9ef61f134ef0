"""The real reader in the sandbox: it may start threads, and nothing else that other jobs may not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.execution.sandbox import seccomp
from tests.api import ROOT
from tests.measurements.conftest import serving

CSV = b"Time [s],Current [A],Voltage [V]\n0,1,4.2\n1,1,4.1\n2,1,4.0\n3,1,3.9\n"
CODE = """
import os, threading
from app.execution.sandbox import seccomp
from app.execution.sandbox.kernel import PR_SET_NO_NEW_PRIVS, prctl
prctl(PR_SET_NO_NEW_PRIVS, 1)
seccomp.apply(threads=THREADS)
try:
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
except RuntimeError as error:
    print("no thread")
for start in (os.fork, lambda: os.posix_spawn("/bin/true", ["true"], {})):
    try:
        start()
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.skipif(not seccomp.is_available(), reason="this kernel has no seccomp filters")
def test_threads_are_no_way_to_processes(threads: bool) -> None:
    code = CODE.replace("THREADS", str(threads))
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    refused = ["Operation not permitted", "Operation not permitted"]
    assert told.stdout.splitlines() == ["thread" if threads else "no thread", *refused]


async def test_a_file_is_read_in_the_sandbox(sqlite_url: str) -> None:
    pytest.importorskip("ionworksdata", reason="the extra `data` is not installed")
    async with serving(
        sqlite_url, ingest="app.battery.ingest:ingest", executor="app.battery:BatteryExecutor", sandbox="on"
    ) as lab:
        id = await lab.upload(CSV)
        state = await lab.complete(id, 90)
        assert (state["status"], state["error"], state["rows"]) == ("READY", None, 4)
        assert state["series"]["Voltage [V]"] == [4.2, 4.1, 4.0, 3.9]
