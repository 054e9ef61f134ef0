"""Killed server under changes: what was acknowledged is stored, and nothing is stored by half."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api import Api
from tests.faults.creating import client, until_ready
from tests.faults.waiting import told
from tests.servers import serving

CLIENTS = 12
STATUS = {"start": "RUNNING", "cancel": "CANCELED"}


@dataclass
class Owned:
    """A pipeline that one client changes: its acknowledged name and status, and the change that was not answered."""

    id: str
    name: str
    status: str | None = "PENDING"
    asked: tuple[str, str | None] | None = None
    """Name and status after the unanswered change; a status of None is a deletion."""

    @property
    def possible(self) -> set[tuple[str, str] | None]:
        """Return what may be stored; None is nothing."""
        states = [(self.name, self.status), *([self.asked] if self.asked else [])]
        return {None if status is None else (name, status) for name, status in states}


async def change(api: Api, owned: Owned, dice: random.Random, number: int) -> None:
    """Ask for one change that the pipeline's status allows, single or in bulk."""
    choices = ["update", "start", "cancel", "delete"] if owned.status == "PENDING" else ["update", "cancel"]
    kind = dice.choice(choices if owned.status != "CANCELED" else ["update", "delete"])
    is_bulk = dice.random() < 0.5 and kind != "update"
    name = f"name {number}" if kind == "update" else owned.name
    owned.asked = name, None if kind == "delete" else STATUS.get(kind, owned.status)
    operation = f"{kind.capitalize()}Pipeline{'s' * is_bulk}"
    given: dict[str, Any] = {"ids": [owned.id]} if is_bulk else {"id": owned.id}
    if kind == "update":
        given["input"] = {"name": name}
    payload = await api.run(operation, **given)
    [entry] = payload["results"] if is_bulk else [payload]
    assert entry["userErrors"] == []
    (owned.name, owned.status), owned.asked = owned.asked, None


async def drive(api: Api, pipelines: list[Owned], dice: random.Random) -> None:
    """Create and change pipelines until the connection is cut."""
    number = 0
    with suppress(httpx.TransportError):
        while True:
            number += 1
            alive = [each for each in pipelines if each.status is not None and each.asked is None]
            if len(alive) < 3:
                created = await api.create(name="new")
                pipelines.append(Owned(created["id"], "new"))
            else:
                await change(api, dice.choice(alive), dice, number)


def check(file: str, pipelines: list[Owned]) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    stored = {id: (name, status) for id, name, status in connection.execute("SELECT id, name, status FROM pipeline")}
    for each in pipelines:
        found = stored.get(each.id)
        assert found in each.possible, (each, found)
        each.asked, each.status = None, None
        if found is not None:
            each.name, each.status = found
    joined = "pipeline_element e LEFT JOIN pipeline p ON p.id = e.pipeline_id"
    states = set(connection.execute(f"SELECT DISTINCT p.status, e.status, e.job_status FROM {joined}").fetchall())
    connection.close()
    assert states <= {
        ("PENDING", "PENDING", None),
        ("RUNNING", "PENDING", "PENDING"),
        ("CANCELED", "CANCELED", "CANCELED"),
        ("CANCELED", "CANCELED", None),
    }


@pytest.mark.parametrize(
    "rounds",
    [
        2,
        pytest.param(15, marks=[pytest.mark.slow, pytest.mark.parallel]),
        pytest.param(50, marks=[pytest.mark.slow, pytest.mark.parallel, pytest.mark.long]),
    ],
)
async def test_kills_under_changes_lose_and_halve_nothing(sqlite_url: str, rounds: int) -> None:
    dice = random.Random(4)
    owned: list[list[Owned]] = [[] for _ in range(CLIENTS)]
    for _ in range(rounds):
        with serving(sqlite_url, VOLTGRAPH_WORKERS="0") as server:
            async with client(server.url) as http:
                await until_ready(http)
                async with asyncio.TaskGroup() as group:
                    for each in owned:
                        group.create_task(drive(Api(http), each, random.Random(dice.random())))
                    await asyncio.sleep(dice.uniform(0.2, 0.8))
                    server.process.kill()
                    server.process.wait()
        check(sqlite_url.removeprefix("sqlite:///"), [each for mine in owned for each in mine])
    assert sum(map(len, owned)) > CLIENTS
    told(f"{rounds} kills, {sum(map(len, owned))} pipelines changed")


@pytest.mark.parametrize(
    "rounds", [2, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.parallel, pytest.mark.long])]
)
async def test_kills_under_repeated_reruns_make_each_once(sqlite_url: str, rounds: int) -> None:
    dice, acknowledged, asked = random.Random(6), dict[str, str](), [0] * CLIENTS
    original = ""

    async def insist(http: httpx.AsyncClient, client: int) -> None:
        """Ask for reruns, each with a key of its own, until the connection is cut; then the last is repeated."""
        with suppress(httpx.TransportError):
            while True:
                key = f"{client}-{asked[client]}"
                path = f"/pipelines/{original}/rerun"
                answer = await http.post(path, json={"start": False}, headers={"idempotency-key": key})
                assert answer.status_code == 201, answer.text
                acknowledged[key] = answer.json()["id"]
                asked[client] += 1

    for _ in range(rounds):
        with serving(sqlite_url, VOLTGRAPH_WORKERS="0") as server:
            async with client(server.url) as http:
                await until_ready(http)
                if not original:
                    original = (await Api(http).create())["id"]
                    await Api(http).run("CancelPipeline", id=original)
                async with asyncio.TaskGroup() as group:
                    for number in range(CLIENTS):
                        group.create_task(insist(http, number))
                    await asyncio.sleep(dice.uniform(0.2, 0.8))
                    server.process.kill()
                    server.process.wait()
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    keys = dict(connection.execute("SELECT key, pipeline_id FROM idempotency_key"))
    made = [id for (id,) in connection.execute("SELECT id FROM pipeline WHERE rerun_of = ?", [original])]
    connection.close()
    assert sorted(keys.values()) == sorted(made)
    assert acknowledged.items() <= keys.items()
    assert keys.keys() - acknowledged.keys() <= {f"{client}-{number}" for client, number in enumerate(asked)}
    assert len(acknowledged) > CLIENTS
    told(f"{rounds} kills, {len(made)} reruns, 0 made twice")
