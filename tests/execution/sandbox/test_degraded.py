"""Levels of the sandbox: without the kernel's features a job is not confined, but its processes still end with it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from app.execution.sandbox.isolation import Isolation
from tests.execution.processes import children
from tests.execution.sandbox.probe import DONE
from tests.execution.sandbox.test_probes import HERE, PROBE, Target, probed, pytestmark
from tests.servers import serving

__all__ = ["pytestmark"]


@pytest.fixture(scope="module")
def open_target() -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as made:
        variables = PROBE | {"VOLTGRAPH_SANDBOX": "off", "TMPDIR": made}
        with serving(f"sqlite:///{made}/runs.db", **variables) as server:
            yield Target(server, Path(made))


async def test_the_probes_succeed_where_nothing_confines_them(open_target: Target) -> None:
    found = await probed(
        open_target,
        read=[str(open_target.folder / "runs.db")],
        write=[str(open_target.folder / "new")],
        connect=[open_target.port],
        udp=[],
    )
    assert all(what.startswith(DONE) for what in found.values()), found


async def test_the_servers_process_is_closed_all_the_same(open_target: Target) -> None:
    pid = open_target.server.process.pid
    found = await probed(open_target, read=[f"/proc/{pid}/environ"], memory=[pid], trace=[pid])
    assert not any(what.startswith(DONE) for what in found.values()), found


@pytest.mark.skipif(os.geteuid() != 0, reason="RLIMIT_NPROC refuses processes of other users than root")
async def test_a_process_that_left_its_group_ends_with_its_job(open_target: Target) -> None:
    assert await probed(open_target, fork=[]) == {"fork": DONE}
    _wait_for_no_child(open_target)


async def test_readiness_and_metrics_tell_the_level(open_target: Target) -> None:
    async with httpx.AsyncClient(base_url=open_target.server.url) as http:
        told = (await http.get("/readyz")).json()["sandbox"]
        assert (told["level"], told["landlock"], told["seccomp"]) == ("limits", 0, False)
        assert "voltgraph_sandbox_landlock 0.0" in (await http.get("/metrics")).text


def test_levels_and_warnings_name_what_is_missing() -> None:
    given = {(7, True): "full", (0, True): "partial", (7, False): "partial", (0, False): "limits"}
    for (abi, seccomp), level in given.items():
        confined = Isolation(True, abi, seccomp, is_root=False)
        assert confined.level == level
        assert [("Landlock" in each, "seccomp" in each) for each in confined.warnings] == [
            *([(True, False)] if not abi else []),
            *([(False, True)] if not seccomp else []),
        ]
    assert "root" in Isolation(True, 7, True, is_root=True).warnings[0]
    assert HERE.level in {"full", "partial", "limits"}


def _wait_for_no_child(target: Target) -> None:
    end = monotonic() + 10
    while children(target.server):
        assert monotonic() < end
        sleep(0.05)
