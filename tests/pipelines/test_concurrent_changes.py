"""Concurrent changes of one pipeline: each sees the ones before it, and their events form one chain."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import select

from app.auth.caller import Caller
from app.database.changes import Change
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.errors import ProblemCode, Rejected
from app.models.enums import ElementType, JobStatus, PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement
from app.pipelines import bulk, lifecycle, service
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create, parse_update
from app.pipelines.lifecycle import QueueLimits

ME = Caller("o", key="vg_me")
MANY = QueueLimits(1000)
ELEMENTS = SubmittedElements([(name, ElementType.DIRECT_ENTRY, {"values": {}}) for name in "abc"], None)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 1000) as opened:
        yield opened


async def create(database: Database) -> str:
    return (await service.create(database, ME, parse_create(project_id="p", name="n", elements=ELEMENTS))).id


def operations(database: Database, ids: list[str], dice: random.Random) -> list[Awaitable[Any]]:
    """Return operations in a random order, single and in bulk."""
    id = ids[0]
    found: list[Awaitable[Any]] = [
        *(service.update(database, ME, id, parse_update({"name": f"n{i}"}, SubmittedElements())) for i in range(10)),
        *(service.update(database, ME, id, parse_update({}, ELEMENTS)) for _ in range(3)),
        *(lifecycle.start(database, MANY, ME, id) for _ in range(4)),
        *(lifecycle.cancel(database, ME, id) for _ in range(2)),
        *(service.duplicate(database, ME, id, None, lambda size: None) for _ in range(3)),
        *(bulk.start(database, MANY, ME, dice.sample(ids, len(ids))) for _ in range(3)),
        *(bulk.cancel(database, ME, dice.sample(ids, len(ids))) for _ in range(2)),
        bulk.delete(database, ME, [id]),
    ]
    dice.shuffle(found)
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_changes_of_one_pipeline_follow_each_other(database: Database, seed: int) -> None:
    await database.listen()
    heard: list[Change] = []
    database.broker.add_watcher(lambda change: heard.append(change) if change is not None else None)
    ids = [await create(database) for _ in range(4)]
    # A subscriber, so that creations are told too.
    with database.broker.subscribe(ME):
        outcomes = await asyncio.gather(*operations(database, ids, random.Random(seed)), return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        assert all(isinstance(each, Rejected) for each in failures), failures
        codes = {problem.code for each in failures if isinstance(each, Rejected) for problem in each.problems}
        assert codes <= {ProblemCode.NOT_FOUND, ProblemCode.INVALID_STATE}
        await asyncio.sleep(0.3)
    async with database.read() as session:
        stored = {each.id: each for each in await session.exec(select(Pipeline))}
        elements = list(await session.exec(select(PipelineElement)))
    for id in ids:
        chain = [each for each in heard if each.id == id and each.before is not None]
        for earlier, later in pairwise(chain):
            assert later.before is not None
            assert earlier.after is not None
            assert replace(later.before, element_types=None) == replace(earlier.after, element_types=None)
            assert later.before.updated_at > (earlier.before or later.before).updated_at
        if id in stored:
            last = chain[-1].after if chain else None
            assert last is None or last.status is stored[id].status
            assert last is None or last.updated_at == stored[id].updated_at
        else:
            assert chain[-1].after is None
    for element in elements:
        assert element.pipeline_id in stored
        status = stored[element.pipeline_id].status
        if status is PipelineStatus.RUNNING:
            assert (element.status, element.job_status) == (PipelineElementStatus.PENDING, JobStatus.PENDING)
        if status is PipelineStatus.CANCELED:
            assert element.status is PipelineElementStatus.CANCELED
            assert element.job_status in (None, JobStatus.CANCELED)
    assert len(elements) == 3 * len(stored)


async def test_opposite_orders_of_ids_do_not_wait_for_each_other(database: Database) -> None:
    ids = [await create(database) for _ in range(20)]
    async with asyncio.timeout(20):
        for _ in range(3):
            results = await asyncio.gather(
                *(bulk.start(database, MANY, ME, ids[::step]) for step in (1, -1, 1, -1)),
                *(bulk.cancel(database, ME, ids[::step]) for step in (-1, 1)),
            )
            assert all(len(each) == 20 for each in results)


async def test_a_limit_holds_for_many_starts_at_once(database: Database) -> None:
    """On one connection exactly; several processes may exceed it by their number."""
    ids = [await create(database) for _ in range(12)]
    starts = (lifecycle.start(database, QueueLimits(5), ME, id) for id in ids)
    outcomes = await asyncio.gather(*starts, return_exceptions=True)
    started = [each for each in outcomes if isinstance(each, Pipeline)]
    assert len(started) >= 5
    if type(database).__name__ == "Sqlite":
        assert len(started) == 5
