"""Latency of a well-behaved client during attacks by others."""

from __future__ import annotations

import asyncio
from itertools import chain
from time import perf_counter

import orjson
import pytest

from tests.attacks import documents, requests
from tests.attacks.attack import SMALL, Attack, strike
from tests.attacks.conftest import Target
from tests.faults.waiting import told

PACE, BETWEEN = 0.005, 0.25
"""Seconds between two reads, and between two attacks."""
ROUNDS = 5
READ = orjson.dumps({"query": "{ pipelines { totalCount } }"})


@pytest.mark.slow
@pytest.mark.long
async def test_a_bystander_is_answered_nearly_as_quickly(target: Target) -> None:
    small = [
        each
        for each in chain(documents.documents(), requests.http(), requests.gets(), requests.rest())
        if each.size <= SMALL
    ]
    share = -(-len(small) // ROUNDS)
    idle, attacked = [], []
    for round_ in range(ROUNDS):
        some = small[round_ * share : (round_ + 1) * share]
        idle += await latencies(target, [])
        attacked += await latencies(target, some)
    usual, under = percentile(idle), percentile(attacked)
    told(f"{len(small)} attacks: p99 of {len(attacked)} reads {under:.2f} ms, idle {usual:.2f} ms of {len(idle)}")
    assert under < 2 * usual


async def latencies(target: Target, attacks: list[Attack]) -> list[float]:
    """Return the milliseconds of each read during the attacks, for a few seconds at least."""
    over = asyncio.create_task(strike_all(target, attacks))
    taken = []
    while not over.done():
        start = perf_counter()
        answer = await target.http.post("/graphql", content=READ, headers={"content-type": "application/json"})
        taken.append((perf_counter() - start) * 1000)
        assert answer.status_code == 200
        await asyncio.sleep(PACE)
    return taken


async def strike_all(target: Target, attacks: list[Attack]) -> None:
    for attack in attacks:
        await strike(target.port, attack)
        await asyncio.sleep(BETWEEN)
    if not attacks:
        await asyncio.sleep(3)


def percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
