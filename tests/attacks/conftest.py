"""Fixtures of a server under attack, with a monitor of its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.attacks.attack import Attack, strike
from tests.servers import Server, serving


@dataclass(frozen=True)
class Target:
    """The server, and a connection of a well-behaved client."""

    server: Server
    http: httpx.AsyncClient

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    async def stall(self) -> float:
        """Return the longest stall in milliseconds since the last call."""
        worst: float = (await self.http.get("/probe")).json()
        return worst

    async def under(self, attack: Attack) -> tuple[int, float]:
        """Send an attack; return its status, and the additional stall of the event loop compared with an idle
        server."""
        await self.stall()
        await asyncio.sleep(0.02)
        idle = await self.stall()
        status = await strike(self.port, attack)
        return status, await self.stall() - idle

    @property
    def memory(self) -> int:
        """Return the peak memory of the server in bytes."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("attacked")
    with serving(f"sqlite:///{folder}/test.db", "tests.attacks.probed", VOLTGRAPH_REQUEST_TIMEOUT="2") as server:
        yield server


@pytest.fixture
async def target(attacked: Server) -> AsyncIterator[Target]:
    async with httpx.AsyncClient(base_url=attacked.url, trust_env=False, timeout=30) as http:
        yield Target(attacked, http)
