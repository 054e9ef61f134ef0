"""Requests generated from the OpenAPI document and the schema: the answers conform to them, and no request is a
fault."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.faults.waiting import told
from tests.servers import ROOT, Server, serving

SEED = "1"
BOUND = 120
PATIENCE = 1.0
"""Seconds within which another client must be answered meanwhile."""
RUNS = {
    "/openapi.json": ("--phases", "coverage,fuzzing,stateful"),
    "/graphql": ("--checks", "not_a_server_error"),
}

CONFIGURED = {"/openapi.json": ("--config-file", str(Path(__file__).parent / "schemathesis.toml"))}
"""Options before the command."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "examples"),
    [("/openapi.json", 5), ("/graphql", 15), pytest.param("/graphql", 60, marks=pytest.mark.long)],
)
async def test_what_is_made_up_is_answered(tmp_path: Path, path: str, examples: int) -> None:
    url = f"sqlite:///{tmp_path}/served.db"
    async with open_keys(parsed(url)) as keys:
        key = await keys.create("local", is_admin=True)
    with serving(url, VOLTGRAPH_RATE_LIMIT=str(10**9)) as server:
        await _fuzz(server, tmp_path, path, examples, key)


async def _fuzz(server: Server, tmp_path: Path, path: str, examples: int, key: str) -> None:
    """Send made-up requests with an administrator's key, and ask for something else meanwhile."""
    command = [sys.executable, "-m", "schemathesis.cli", *CONFIGURED.get(path, ()), "run", f"{server.url}{path}"]
    command += [*RUNS[path], "--max-examples", str(examples), "--seed", SEED, "-H", f"X-API-Key: {key}"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.attacks.hooks", "PYTHONPATH": str(ROOT)}
    running = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    ended = asyncio.create_task(running.communicate())
    slowest = 0.0
    async with asyncio.timeout(BOUND), httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        while not ended.done():
            start = perf_counter()
            assert (await http.get("/readyz")).status_code == 200
            slowest = max(slowest, perf_counter() - start)
            await asyncio.sleep(0.05)
    said = ended.result()[0].decode()
    count = next(line for line in said.splitlines() if " generated, " in line)
    told(f"{path}: {count.strip()}; others waited for {slowest * 1000:.0f} ms at most")
    assert running.returncode == 0, said
    assert slowest < PATIENCE
