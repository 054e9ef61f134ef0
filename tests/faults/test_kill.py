"""Killed server under load: no acknowledged write is lost, and the server is ready again within seconds."""

from __future__ import annotations

import asyncio
import random
from time import monotonic

import pytest

from tests.faults.creating import READY, History, client, creators, stored, until_ready
from tests.faults.waiting import told
from tests.servers import serving

CREATORS = 32


@pytest.mark.parametrize(
    "rounds",
    [
        2,
        pytest.param(12, marks=[pytest.mark.slow, pytest.mark.parallel]),
        pytest.param(100, marks=[pytest.mark.slow, pytest.mark.parallel, pytest.mark.long]),
    ],
)
async def test_kills_under_32_creators_lose_and_halve_nothing(sqlite_url: str, rounds: int) -> None:
    dice = random.Random(9)
    history, slowest = History(), 0.0
    for round_ in range(rounds + 1):
        start = monotonic()
        with serving(sqlite_url) as server:
            async with client(server.url) as http:
                await until_ready(http)
            slowest = max(slowest, monotonic() - start)
            history.check(stored(sqlite_url))
            if round_ < rounds:
                async with creators(server.url, history, CREATORS):
                    await asyncio.sleep(dice.uniform(0, 0.4))
                    server.process.kill()
                    server.process.wait()
    assert history.refused == []
    assert len(history.unanswered) <= rounds * CREATORS
    assert slowest < READY
    told(f"{rounds} kills, {len(history.acknowledged)} acknowledged, slowest ready {slowest:.2f} s")
