"""Servers of the benchmarks, each in one process over its own copy of the same rows."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.database.connect import database_url
from app.database.migrations import migrate
from tests import servers
from tests.bench.load import SERVER_CORE, pinned
from tests.bench.rows import fill_sqlite

PEERS = Path(__file__).with_name("peers")
NAMES = {
    "jit": "graphql-jit on Bun",
    "mercurius": "Mercurius + JIT",
    "mercurius tuned": "the same, tuned",
    "yoga": "GraphQL Yoga",
}
"""Titles of the peers by their scripts. Bun runs graphql-jit, Node the others."""
BIN = PEERS / "node_modules" / ".bin"


@contextmanager
def voltgraph(database: str, **variables: str) -> Iterator[servers.Server]:
    """Start Voltgraph as `make run` does, on a free port, with further environment variables."""
    with pinned(SERVER_CORE), servers.serving(database, VOLTGRAPH_WORKERS="2", **variables) as server:
        _settle(server.process.pid)
        yield server


def _settle(session: int) -> None:
    """Wait until no process of a session uses the CPU: the fork server starts while requests are served, and its CPU
    time is not part of their cost."""
    before, now = -1.0, _used(session)
    while now > before:
        time.sleep(1)
        before, now = now, _used(session)


def _used(session: int) -> float:
    """Return the CPU time of a session's processes in seconds."""
    listed = subprocess.run(["ps", "-eo", "sess=,times="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return sum(float(used) for of, used in pairs if of == str(session))


@contextmanager
def peer(name: str, database: str) -> Iterator[str]:
    """Start a peer over a file or a PostgreSQL database; return its address."""
    environment = os.environ | {"DATABASE": database, "NODE_ENV": "production"}
    script, _, tuned = name.partition(" ")
    environment["TUNED"] = tuned
    with (
        pinned(SERVER_CORE),
        subprocess.Popen(
            [BIN / ("bun" if script == "jit" else "node"), f"{script}.js"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PEERS,
            env=environment,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, f"{name} did not start"
            yield address
        finally:
            servers.stop(process)


def sqlite(folder: Path, pipelines: int, config: bytes | None = None) -> str:
    """Create a database for Voltgraph with this many pipelines."""
    url = f"sqlite:///{folder}/{len(list(folder.glob('*.db')))}.db"
    asyncio.run(migrate(database_url(url)))
    fill_sqlite(Path(url.removeprefix("sqlite:///")), pipelines, *([config] if config else []))
    return url
