"""Queue of runs: who is served next, what limits hold, and what becomes of the pipelines of a worker that ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import func, select

from app.auth.caller import Caller
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.writes.statements import IDS, Query, compiled_writes
from app.errors import ProblemCode, Rejected
from app.execution.lease import Lease, LeaseLost
from app.execution.queue import (
    OLDEST,
    WAITING,
    RunningLimits,
    RunQueue,
    oldest_of_other_keys,
    oldest_of_others,
    take,
    taken,
)
from app.models.enums import ElementType, PipelineStatus
from app.models.tables import Pipeline, Worker
from app.pipelines import lifecycle, repository, service
from app.pipelines.budget import Budget
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create
from app.pipelines.lifecycle import QueueLimits

MANY = QueueLimits(1000)
A, B, C = (Caller(name, key=f"vg_{name}") for name in "abc")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 1000) as opened:
        yield opened


async def create(database: Database, caller: Caller) -> str:
    elements = SubmittedElements([("e", ElementType.DIRECT_ENTRY, {})], None)
    return (await service.create(database, caller, parse_create(project_id="p", name="n", elements=elements))).id


async def start(database: Database, caller: Caller, number: int = 1, limits: QueueLimits = MANY) -> list[str]:
    ids = [await create(database, caller) for _ in range(number)]
    for id in ids:
        await lifecycle.start(database, limits, caller, id)
    return ids


async def pipelines(database: Database) -> dict[str, Pipeline]:
    async with database.read() as session:
        return {each.id: each for each in await session.exec(select(Pipeline))}


async def organizations(database: Database, leases: list[Lease]) -> Counter[str]:
    stored = await pipelines(database)
    return Counter(stored[lease.pipeline_id].organization_id for lease in leases)


async def positions(database: Database, caller: Caller, ids: list[str]) -> list[int | None]:
    return await repository.queue_positions(database, caller, ids, budget=Budget(10**6))


async def test_an_organization_is_served_in_the_order_of_its_starts(database: Database) -> None:
    ids = [await create(database, A) for _ in range(6)]
    order = [ids[i] for i in (3, 0, 5, 1, 4, 2)]
    for id in order:
        await lifecycle.start(database, MANY, A, id)
    queue = RunQueue(database, "w")
    assert await positions(database, A, ids) == [order.index(id) + 1 for id in ids]
    claimed = [lease.pipeline_id for _ in range(3) for lease in await queue.claim(2)]
    assert [set(claimed[i : i + 2]) for i in (0, 2, 4)] == [set(order[i : i + 2]) for i in (0, 2, 4)]
    assert await queue.claim(2) == []


async def test_organizations_share_the_places(database: Database) -> None:
    await start(database, A, 20)
    await start(database, B, 3)
    await start(database, C, 1)
    queue = RunQueue(database, "w")
    assert await organizations(database, await queue.claim(6)) == {"a": 3, "b": 2, "c": 1}
    assert await organizations(database, await queue.claim(4)) == {"a": 3, "b": 1}


async def test_one_place_goes_round(database: Database) -> None:
    await start(database, A, 5)
    await start(database, B, 2)
    queue = RunQueue(database, "w")
    served = ""
    for _ in range(7):
        [lease] = await queue.claim(1)
        served += (await pipelines(database))[lease.pipeline_id].organization_id
        await lease.complete()
    assert served == "ababaaa"


async def test_a_place_that_gets_free_goes_to_who_runs_the_fewest(database: Database) -> None:
    await start(database, A, 10)
    queue = RunQueue(database, "w")
    first, *_ = await queue.claim(4)
    await start(database, B, 3)
    await first.complete()
    assert await organizations(database, await queue.claim(1)) == {"b": 1}
    assert await organizations(database, await queue.claim(2)) == {"b": 2}


async def test_a_maximum_of_running_pipelines_leaves_places_free(database: Database) -> None:
    await start(database, A, 5)
    await start(database, B, 1)
    queue = RunQueue(database, "w", RunningLimits(organization=2))
    first = await queue.claim(10)
    assert await organizations(database, first) == {"a": 2, "b": 1}
    assert await queue.claim(10) == []
    stored = await pipelines(database)
    await next(each for each in first if stored[each.pipeline_id].organization_id == "a").complete()
    assert await organizations(database, await RunQueue(database, "v", RunningLimits(2)).claim(10)) == {"a": 1}


async def test_a_key_with_its_maximum_running_does_not_delay_others(database: Database) -> None:
    other, keyless = replace(A, key="vg_other"), replace(A, key=None)
    await start(database, A, 5)
    late = [*await start(database, other, 2), *await start(database, keyless, 3)]
    queue = RunQueue(database, "w", RunningLimits(key=1))
    claimed = await queue.claim(10)
    stored = await pipelines(database)
    assert sorted(stored[each.pipeline_id].started_by or "" for each in claimed) == ["", "vg_a", "vg_other"]
    assert {each.pipeline_id for each in claimed} & {*late} == {late[0], late[2]}
    assert await queue.claim(10) == []


@pytest.mark.parametrize("limits", [QueueLimits(3), QueueLimits(10, key=3)])
async def test_one_start_too_many_is_refused_until_one_runs(database: Database, limits: QueueLimits) -> None:
    await start(database, A, 3, limits)
    id = await create(database, A)
    with pytest.raises(Rejected) as refused:
        await lifecycle.start(database, limits, A, id)
    [problem] = refused.value.problems
    assert problem.code is ProblemCode.QUEUE_FULL
    assert ("API key" if limits.key else "organization") in problem.message
    assert "has 3 queued pipelines" in problem.message
    assert (await pipelines(database))[id].status is PipelineStatus.PENDING
    await start(database, B, 1, limits)
    await RunQueue(database, "w").claim(1)
    assert (await lifecycle.start(database, limits, A, id)).status is PipelineStatus.RUNNING


async def test_positions_are_those_of_the_own_queue(database: Database) -> None:
    await start(database, B, 5)
    pending, ids = await create(database, A), await start(database, A, 4)
    assert await positions(database, A, [ids[2], pending, ids[0]]) == [3, None, 1]
    assert await positions(database, Caller("c"), ids) == [None] * 4
    await lifecycle.cancel(database, A, ids[1])
    await RunQueue(database, "w").claim(1)
    await RunQueue(database, "w").claim(1)
    assert await positions(database, A, ids) == [None, None, 1, 2]


async def test_two_workers_claim_no_pipeline_twice(database: Database) -> None:
    ids = {*await start(database, A, 15), *await start(database, B, 15)}
    queues = [RunQueue(database, name) for name in "vw"]
    rounds = [await asyncio.gather(*(queue.claim(2) for queue in queues)) for _ in range(10)]
    claimed = [lease.pipeline_id for round_ in rounds for leases in round_ for lease in leases]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == ids
    assert {each.attempt for each in (await pipelines(database)).values()} == {1}


async def test_a_released_pipeline_keeps_its_place_and_fences_off_its_worker(database: Database) -> None:
    ids = await start(database, A, 3)
    one, other = RunQueue(database, "one"), RunQueue(database, "other")
    [first] = await one.claim(1)
    assert await one.held() == {ids[0]}
    await one.release([ids[0]])
    assert await one.held() == set()
    assert await positions(database, A, ids) == [1, 2, 3]
    [again] = await other.claim(1)
    assert (again.pipeline_id, again.attempt) == (ids[0], 2)
    with pytest.raises(LeaseLost):
        await first.complete()
    await again.complete()
    assert (await pipelines(database))[ids[0]].status is PipelineStatus.COMPLETED


async def test_a_completion_whose_acknowledgement_was_lost_can_be_repeated(database: Database) -> None:
    await start(database, A)
    [lease] = await RunQueue(database, "w").claim(1)
    [element] = await lease.elements()
    for _ in range(2):
        await lease.complete_element(element.id, {"parameter_values": {"a": 1}}, is_last=True)
    [pipeline] = (await pipelines(database)).values()
    assert pipeline.status is PipelineStatus.COMPLETED
    assert pipeline.finished_at == pipeline.updated_at


@pytest.fixture
async def server(postgres: Any) -> AsyncIterator[Database]:
    async with open_database(parsed(postgres.new_database()), 1000) as opened:
        yield opened


async def test_only_pipelines_of_workers_without_a_heartbeat_are_taken_over(server: Database) -> None:
    ids = await start(server, A, 4)
    queues = {name: RunQueue(server, name) for name in ("alive", "silent", "unknown")}
    for queue in queues.values():
        await queue.claim(1)

    async def beat(session: Any) -> None:
        for name, seconds in (("alive", 0), ("silent", 11)):
            at = func.now() - timedelta(seconds=seconds)
            await session.exec(insert(Worker).values(id=name, heartbeat_at=at))

    await server.write(beat)
    taken = await asyncio.gather(*(queues["alive"].take_over(10) for _ in range(3)))
    assert ["silent", "unknown"] in taken
    assert await positions(server, A, ids) == [None, 1, 2, 3]
    assert await queues["alive"].held() == {ids[0]}
    async with server.read() as session:
        assert [each.id for each in await session.exec(select(Worker))] == ["alive"]
    assert await queues["alive"].take_over(10) == []


async def test_a_claim_reads_the_index_of_the_queue_and_rows_by_their_ids(sqlite_url: str) -> None:
    values = {"organization": "a", "most": 1, "worker": "w", IDS: ["a"]}
    async with open_database(parsed(sqlite_url), 1000) as database, database.read() as session:
        connection = await session.connection()

        async def plan(query: Query) -> list[str]:
            statement = compiled_writes(database.dialect)(query)
            explained = f"EXPLAIN QUERY PLAN {statement.sql}"
            rows: Any = await connection.exec_driver_sql(explained, tuple(statement.parameters(values)))
            return [step[3] for step in rows]

        of_queue: list[Query] = [WAITING, OLDEST, oldest_of_others, oldest_of_other_keys]
        for query in of_queue:
            steps = await plan(query)
            read = [step for step in steps if "pipeline" in step]
            assert read
            assert all("COVERING INDEX pipeline_queued" in step for step in read), steps
            assert not any("TEMP B-TREE" in step for step in steps), steps
        by_id: list[Query] = [take, taken]
        for query in by_id:
            assert (await plan(query))[0].endswith("INDEX sqlite_autoindex_pipeline_1 (id=?)")
