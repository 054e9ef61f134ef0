"""Load generator: `wrk` at full speed, on a core of its own."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from tests.bench.rows import PROJECTS, pipeline_id

HEADERS = {"content-type": "application/json", "accept": "application/json"}
SERVER_CORE, LOAD_CORE = 0, 1
"""With two cores or more, server and load use different ones."""


@dataclass(frozen=True, slots=True)
class Load:
    """Measurements of a server under load."""

    rate: float
    p50: float
    p99: float
    size: float


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("The benchmark needs wrk, the load generator: apt-get install wrk, or brew install wrk.")


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run processes started within the context on one core. Does nothing if the system cannot set the affinity."""
    if not hasattr(os, "sched_setaffinity") or not {SERVER_CORE, LOAD_CORE} <= (before := os.sched_getaffinity(0)):
        yield
        return
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def body(document: str, **variables: object) -> bytes:
    """Body of a request. `@ID@`, `@PROJECT@` and `@NAME@` are replaced by random values for each request, `@NEXT@` by
    the id of the next pipeline."""
    return orjson.dumps({"query": document, "variables": variables})


def ask(url: str, body: bytes, id: int = 1, project: int = 0) -> bytes:
    """Send one request. Raises AssertionError if the answer has errors."""
    drawn = body.replace(b"@ID@", pipeline_id(id).encode()).replace(b"@PROJECT@", b"project-%d" % project)
    drawn = drawn.replace(b"@NAME@", b"name %08d" % id)
    answer = httpx.post(f"{url}/graphql", content=drawn, headers=HEADERS, timeout=300)
    decoded = orjson.loads(answer.content)
    assert answer.status_code == 200, answer.text
    assert "errors" not in decoded, answer.text
    return answer.content


def load(url: str, body: bytes, seconds: int, pipelines: int, connections: int = 16, first: int = 1) -> Load:
    """Send requests as fast as possible over a number of connections. Raises AssertionError if any request fails.

    Sync the disk before a turn: otherwise the commits of this server wait for dirty pages of the one before.
    """
    os.sync()
    draws = {"BODY": body.decode(), "PIPELINES": str(pipelines), "PROJECTS": str(PROJECTS), "FIRST": str(first)}
    script = Path(__file__).with_name("draw.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script)]
    with pinned(LOAD_CORE):
        output = subprocess.run(
            [*command, f"{url}/graphql"],
            env=os.environ | draws | {"SEED": str(random.randrange(2**31))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    [line] = [line for line in output.splitlines() if line.startswith("RESULT")]
    requests, microseconds, size, p50, p99, failed = map(float, line.split()[1:])
    assert requests, output
    assert not failed, output
    return Load(requests / microseconds * 1e6, p50 / 1000, p99 / 1000, size / requests)
