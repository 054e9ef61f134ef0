"""Audit log under kills: each change that was stored has exactly one entry, and no other entry exists."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from app.auth.keys import PREFIX_LENGTH, open_keys
from app.database.connect import database_url as parsed
from tests.api import Api
from tests.faults.creating import until_ready
from tests.faults.waiting import told
from tests.servers import serving

CLIENTS = 6
LOG = """query($after: String) { auditLog(first: 100, after: $after) {
  nodes { key action objectType objectId objectName } pageInfo { hasNextPage endCursor } } }"""
PIPELINES = """query($after: String) { pipelines(first: 100, after: $after) {
  nodes { id name status startedAt } pageInfo { hasNextPage endCursor } } }"""


@dataclass
class Acknowledged:
    """Changes that one client was told of: actions by object, in their order."""

    actions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    pipelines: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    updates: Counter[str] = field(default_factory=Counter)


async def change(api: Api, mine: Acknowledged, dice: random.Random) -> None:
    """Make one change, of a pipeline or of a key. An object whose change is not acknowledged is changed no more."""
    kind = dice.choice(["create", "update", "start", "cancel", "delete", "rerun", "create key", "revoke key"])
    if kind == "create" or (not mine.pipelines and "key" not in kind):
        id = (await api.create(name="0"))["id"]
        mine.pipelines.append(id)
        mine.actions[id].append("CREATED")
    elif kind == "create key" or (kind == "revoke key" and not mine.keys):
        prefix = (await api.run("CreateApiKey", input={"userId": "made"}))["apiKey"]["prefix"]
        mine.keys.append(prefix)
        mine.actions[prefix].append("CREATED")
    elif kind == "revoke key":
        prefix = mine.keys.pop()
        await api.run("RevokeApiKey", prefix=prefix)
        mine.actions[prefix].append("REVOKED")
    else:
        id = mine.pipelines.pop(dice.randrange(len(mine.pipelines)))
        given = {"input": {"name": str(mine.updates[id] + 1)}} if kind == "update" else {}
        payload = await api.run(f"{kind.capitalize()}Pipeline", id=id, **given)
        if kind != "delete":
            mine.pipelines.append(id)
        if payload["userErrors"]:
            return
        if kind == "rerun":
            id = payload["pipeline"]["id"]
            mine.actions[id] += ["RERUN", "STARTED"]
        elif kind != "start" or "STARTED" not in mine.actions[id]:
            action = {"update": "UPDATED", "start": "STARTED", "cancel": "CANCELED", "delete": "DELETED"}[kind]
            if action != "CANCELED" or "CANCELED" not in mine.actions[id]:
                mine.actions[id].append(action)
            mine.updates[id] += kind == "update"


async def drive(api: Api, mine: Acknowledged, dice: random.Random) -> None:
    with suppress(httpx.TransportError):
        while True:
            await change(api, mine, dice)


async def pages(api: Api, query: str) -> list[dict[str, Any]]:
    found, after = [], None
    while True:
        [page] = (await api.data(query, after=after)).values()
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def expected(pipeline: dict[str, Any]) -> Counter[str]:
    """Return the actions that a stored pipeline has seen, but for its creation."""
    actions = Counter({"UPDATED": int(pipeline["name"].partition(" ")[0])})
    actions["STARTED"] = pipeline["startedAt"] is not None
    actions["CANCELED"] = pipeline["status"] == "CANCELED"
    return +actions


async def check(api: Api, clients: list[Acknowledged], made_outside: set[str]) -> int:
    """Compare the audit log with what is stored and with what was acknowledged."""
    entries = (await pages(api, LOG))[::-1]
    actions: dict[str, list[str]] = defaultdict(list)
    for each in entries:
        actions[each["objectId"]].append(each["action"])
    stored = {each["id"]: each for each in await pages(api, PIPELINES)}
    keys = {each["prefix"]: each for each in await api.run("ApiKeys")}
    for id, seen in actions.items():
        assert seen[0] in ("CREATED", "RERUN"), (id, seen)
        assert not {"CREATED", "RERUN"} & {*seen[1:]}, (id, seen)
        if id in keys:
            assert seen[1:] == ["REVOKED"] * (keys[id]["revokedAt"] is not None), (id, seen)
        elif id in stored:
            updates = {"UPDATED": 0} if seen[0] == "RERUN" else {}
            wanted = expected({**stored[id], "name": "0"} if updates else stored[id])
            assert Counter(seen[1:]) == wanted, (id, seen, stored[id])
        else:
            assert seen[-1] == "DELETED", (id, seen)
    assert stored.keys() | keys.keys() <= actions.keys()
    for mine in clients:
        for id, known in mine.actions.items():
            assert actions[id][: len(known)] == known, (id, known, actions[id])
            assert len(actions[id]) <= len(known) + 1, (id, known, actions[id])
    outside = {each["objectId"] for each in entries if each["key"] == "voltgraph keys"}
    assert outside == made_outside
    return len(entries)


ROUNDS = int(os.environ.get("TEST_KILLS", "50"))


@pytest.mark.parametrize("rounds", [2, pytest.param(ROUNDS, marks=[pytest.mark.slow, pytest.mark.long])])
async def test_kills_leave_no_entry_missing_or_extra(database_url: str, rounds: int) -> None:
    dice, clients = random.Random(8), [Acknowledged() for _ in range(CLIENTS)]
    async with open_keys(parsed(database_url)) as store:
        secret = await store.create("local", is_admin=True)
    made_outside = {secret[:PREFIX_LENGTH]}
    entries = 0
    for last in [False] * rounds + [True]:
        with serving(database_url, VOLTGRAPH_WORKERS="0", VOLTGRAPH_RATE_LIMIT="10000000") as server:
            headers = {"x-api-key": secret}
            async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=30, headers=headers) as http:
                await until_ready(http)
                entries = await check(Api(http), clients, made_outside)
                if last:
                    break
                async with asyncio.TaskGroup() as group:
                    for mine in clients:
                        group.create_task(drive(Api(http), mine, random.Random(dice.random())))
                    await asyncio.sleep(dice.uniform(0.2, 0.8))
                    server.process.kill()
                    server.process.wait()
        async with open_keys(parsed(database_url)) as store:  # as the command line does
            made_outside.add((await store.create("local"))[:PREFIX_LENGTH])
    assert entries > CLIENTS
    told(f"{rounds} kills, {entries} entries, 0 missing and 0 extra")
