"""Failing disk: no write is acknowledged meanwhile, and the server continues afterwards."""

from __future__ import annotations

from collections.abc import Sized
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.creating import History, client, creators, says, stored, until_ready
from tests.faults.disks import FAULTS
from tests.faults.waiting import told, until

CREATORS = 8


@pytest.mark.slow
@pytest.mark.parallel
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_disk_that_fails_costs_nothing_that_was_acknowledged(
    sqlite_url: str, tmp_path: Path, fault: str
) -> None:
    history = History()
    with FAULTS[fault](sqlite_url, tmp_path, {}) as disk:
        async with client(disk.server.url) as http:
            await until_ready(http)
            async with creators(disk.server.url, history, CREATORS):
                for _ in range(2):
                    with disk.failing():
                        await refuses(http, history)
                    await until_ready(http)
                    before = len(history.acknowledged)
                    await until(partial(more, history.acknowledged, before), 5)
        assert set(history.refused) == {(503, "UNAVAILABLE")}
        history.check(stored(disk.database))
        told(f"{fault}: {len(history.acknowledged)} acknowledged, {len(history.refused)} refused")


async def refuses(http: httpx.AsyncClient, history: History) -> None:
    """Wait until creates are refused and the server is not ready; it stays alive, and reads continue."""
    before = len(history.refused)
    await until(partial(more, history.refused, before), 10)
    await until(lambda: says(http, "/readyz", 503), 10)
    assert await says(http, "/livez", 200)
    assert await says(http, "/pipelines", 200)
    answer = (await http.post("/graphql", json={"query": "{ pipelines { totalCount } }"})).json()
    assert answer["data"]["pipelines"]["totalCount"] >= len(history.acknowledged) - CREATORS


def more(items: Sized, before: int) -> bool:
    """Return whether the clients have added one pipeline each on average."""
    return len(items) >= before + CREATORS
