"""A server under attack, whose event loop is watched."""

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
    """The server, and a connection of somebody who does no harm."""

    server: Server
    http: httpx.AsyncClient

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    async def stall(self) -> float:
        """Milliseconds of the longest stall since this was last asked."""
        worst: float = (await self.http.get("/probe")).json()
        return worst

    async def under(self, attack: Attack) -> tuple[int, float]:
        """The status that an attack is answered by, and how much longer than when idle the event loop stalled."""
        await self.stall()
        await asyncio.sleep(0.02)
        idle = await self.stall()
        status = await strike(self.port, attack)
        return status, await self.stall() - idle

    @property
    def memory(self) -> int:
        """The most bytes that the server ever had in memory."""
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
