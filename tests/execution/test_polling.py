"""Polling of the queue: pipelines start soon, and a worker that stops leaves those that wait to others."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.execution.worker import Stopping, _Taken
from tests.execution.conftest import FAKE, Runs
from tests.servers import serving


async def test_pipelines_start_soon_and_wait_for_a_slot(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/runs.db", **(FAKE | {"VOLTGRAPH_WORKERS": "1"})) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            for id in [await runs.start({"seconds": 0.5}) for _ in range(3)]:
                assert (await runs.end(id, seconds=10))["status"] == "COMPLETED"


class Endless:
    """Runner whose runs last until they are canceled."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def run(self, _: str) -> None:
        self.started.set()
        await asyncio.Event().wait()


async def test_a_canceled_run_keeps_its_slot_until_polling_has_ended() -> None:
    runner: Any = Endless()
    taken, ended = _Taken(runner, asyncio.get_running_loop()), threading.Event()

    def run() -> None:
        with pytest.raises(Stopping):
            taken.run("id")
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    await asyncio.wait_for(runner.started.wait(), 10)
    taken.stop()
    await asyncio.sleep(0.1)
    assert not ended.is_set()
    taken.release()
    await asyncio.to_thread(thread.join, 10)
    assert ended.is_set()
