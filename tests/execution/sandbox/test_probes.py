"""Sandbox: code in a job's process reads none of the server's data, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.execution.sandbox.isolation import isolation
from tests.execution.conftest import Runs
from tests.execution.sandbox.probe import DONE
from tests.servers import ROOT, Server, serving

PROBE = {"VOLTGRAPH_EXECUTOR": "tests.execution.sandbox.probe:ProbeExecutor", "VOLTGRAPH_WORKERS": "4"}
NOBODY = 65534
HERE = isolation()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines jobs")


@dataclass(frozen=True)
class Target:
    """Server whose jobs try to break out."""

    server: Server
    folder: Path

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])


def _python_of_nobody(folder: Path) -> dict[str, Any] | None:
    """Return how another user starts a Python that runs the server: this one, or else the system's; None if none
    does."""
    user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        code = [python, "-c", "import app.main, tests.execution.sandbox.probe"]
        with contextlib.suppress(OSError):
            environment = os.environ | {"HOME": str(folder), "PYTHONPATH": packages}
            if subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, **user).returncode == 0:
                return {**user, "python": python, "packages": packages}
    return None


@contextmanager
def _user_of(name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield how a server is started as a user."""
    if name == "root":
        if os.geteuid() != 0:
            pytest.skip("the tests do not run as root")
        yield {}
        return
    if os.geteuid() != 0:
        yield {}
        return
    os.chown(folder, NOBODY, NOBODY)
    user = _python_of_nobody(folder)
    if user is None:
        pytest.skip("another user cannot run a Python with these packages")
    yield user


@pytest.fixture(scope="module", params=["root", "user"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to other users
        folder = Path(made)
        with _user_of(request.param, folder) as user:
            (folder / "temporary").mkdir()
            if user:
                os.chown(folder / "temporary", NOBODY, NOBODY)
            variables = PROBE | {"TMPDIR": str(folder / "temporary"), "HOME": made}
            if user:
                variables["PYTHONPATH"] = user.pop("packages")
            with serving(f"sqlite:///{folder}/runs.db", "app", None, user, **variables) as server:
                yield Target(server, folder)


async def probed(target: Target, **attempts: list[Any]) -> dict[str, str]:
    """Return what a job found."""
    async with httpx.AsyncClient(base_url=target.server.url, timeout=60) as http:
        runs = Runs(http)
        named = {name.replace("__", " "): given for name, given in attempts.items()}
        element = {"name": "e", "elementType": "DIRECT_ENTRY", "jobConfig": {"attempts": named}}
        id = (await runs.create(elements=[element]))["id"]
        await runs.run("StartPipeline", id=id)
        assert (await runs.end(id))["status"] == "COMPLETED"
        found: dict[str, str] = (await runs.run("PipelineResults", id=id))["elements"][0]["result"]["found"]
        return found


def broken_out(found: dict[str, str]) -> dict[str, str]:
    """Return the attempts that nothing refused."""
    return {name: what for name, what in found.items() if what.startswith(DONE)}


async def test_the_server_is_closed_to_its_jobs(target: Target) -> None:
    pid = target.server.process.pid
    found = await probed(
        target,
        read=[f"/proc/{pid}/environ"],
        memory=[pid],
        peek=[pid],
        trace=[pid],
        list=[f"/proc/{pid}/fd"],
    )
    assert broken_out(found) == {}
    environ = Path(f"/proc/{pid}/environ").read_bytes()  # noqa: ASYNC240
    assert b"VOLTGRAPH_DATABASE_URL=\0" in environ


async def test_a_job_has_no_secrets_and_three_descriptors(target: Target) -> None:
    found = await probed(target, environ=[], descriptors=[], write=["mine"])
    assert found == {"environ": f"{DONE}: []", "descriptors": f"{DONE}: 2", "write": DONE}


@pytest.mark.skipif(not HERE.landlock, reason="without Landlock a job can open the server's files")
async def test_the_servers_files_are_closed_to_its_jobs(target: Target) -> None:
    database = str(target.folder / "runs.db")
    keys = next(str(each) for each in target.folder.glob("*") if "key" in each.name)
    found = await probed(
        target,
        read__database=[database],
        write__database=[database],
        truncate=[database],
        read__keys=[keys],
        write__keys=[keys],
        list__folder=[str(target.folder)],
        list__jobs=[str(target.folder / "temporary")],
        write__beside=[str(target.folder / "temporary" / "new")],
        write__tmp=["/tmp/voltgraph-probe"],
        read__passwd=["/etc/passwd"],
        read__repository=[str(ROOT / "pyproject.toml")],
        read__proc=["/proc/self/environ"],
    )
    assert broken_out(found) == {}
    assert set(found.values()) == {"EACCES"}


@pytest.mark.skipif(not HERE.landlock, reason="without Landlock a job can open the files of other jobs")
async def test_the_folders_of_other_jobs_are_closed(target: Target) -> None:
    [place] = (target.folder / "temporary").glob("voltgraph-*")
    other = place / "job-other"
    other.mkdir(mode=0o777)
    (other / "secret").write_text("s")
    try:
        found = await probed(target, read=[str(other / "secret")], write=[str(other / "new")], list=[str(other)])
    finally:
        shutil.rmtree(other)
    assert set(found.values()) == {"EACCES"}


@pytest.mark.skipif(not HERE.seccomp, reason="without seccomp a job can change files that it does not open")
async def test_files_are_not_changed_without_opening_them(target: Target) -> None:
    database = str(target.folder / "runs.db")
    names = ("unlink", "rename", "chmod", "link", "symlink", "utime", "make")
    found = await probed(target, **{name: [database] for name in names}, unnamed=["."])
    assert broken_out(found) == {}


@pytest.mark.skipif(not HERE.seccomp, reason="without seccomp a job has sockets; Landlock refuses TCP only")
async def test_the_network_is_closed(target: Target) -> None:
    [place] = (target.folder / "temporary").glob("voltgraph-*")
    found = await probed(target, connect=[target.port], udp=[], unix=[str(place / "children")])
    assert set(found.values()) == {"EPERM"}


@pytest.mark.skipif(not HERE.seccomp, reason="without seccomp a job can fork; its processes are killed at its end")
async def test_no_process_and_no_signal_leaves_a_job(target: Target) -> None:
    pid = target.server.process.pid
    found = await probed(
        target,
        fork=[],
        exec=[],
        execve=[],
        thread=[],
        signal=[pid],
        priority=[pid],
        prlimit=[pid],
        orphan=[],
        session=[],
    )
    assert broken_out(found) == {}


@pytest.mark.skipif(not HERE.seccomp, reason="seccomp is missing")
async def test_system_calls_of_the_kernel_are_closed(target: Target) -> None:
    names = ["keyctl", "bpf", "userfaultfd", "mount", "unshare", "kexec_load", "memfd_create", "shmget", "pidfd_open"]
    found = await probed(target, **{f"call__{name}": [name] for name in names})
    assert set(found.values()) == {"EPERM"}
