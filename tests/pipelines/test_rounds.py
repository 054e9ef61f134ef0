"""Deletions and starts of one round share their statements; each has an outcome, an event and an audit entry of its
own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from app.auth.caller import Caller
from app.database.changes import Change
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.writes.mutations import Pace
from app.errors import Rejected
from app.models.audit import AuditEntry
from app.models.enums import AuditAction, ElementType, JobStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement
from app.pipelines import lifecycle, service
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create
from app.pipelines.lifecycle import QueueLimits
from app.pipelines.transactions import deletion
from app.pipelines.transactions.rows import NEW
from tests.api import ROOT
from tests.faults.waiting import until

ME = Caller("o", key="vg_me")
READER, NARROW = replace(ME, may_write=False), replace(ME, projects=frozenset({"other"}))
STRANGER = Caller("other", key="vg_other")
LIMITS = QueueLimits(1000)
ELEMENTS: list[tuple[str, ElementType, Any]] = [
    ("a", ElementType.DIRECT_ENTRY, {"values": {}}),
    ("b", ElementType.CALCULATION, {"values": {}}),
]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 1000) as opened:
        yield opened


@pytest.fixture
async def heard(database: Database) -> list[Change]:
    """Changes of existing pipelines."""
    await database.listen()
    changes: list[Change] = []
    database.broker.add_watcher(lambda change: changes.append(change) if change and change.before else None)
    return changes


def elements_of(number: int) -> list[tuple[str, ElementType, Any]]:
    """Return the elements of the pipeline with a number."""
    return ELEMENTS[: 1 + number % 2]


def kinds_of(number: int) -> frozenset[ElementType]:
    return frozenset(kind for _, kind, _ in elements_of(number))


async def create(database: Database, number: int) -> list[str]:
    drafts = [
        parse_create(project_id="p", name=f"n{i}", elements=SubmittedElements(elements_of(i), None))
        for i in range(number)
    ]
    return [(await service.create(database, ME, draft)).id for draft in drafts]


async def start(database: Database, heard: list[Change], id: str, request_id: str | None) -> None:
    """Start a pipeline, and wait for its event."""
    await lifecycle.start(database, LIMITS, ME, id, request_id)
    await until(lambda: len(heard) == 1, 10)
    heard.clear()


async def outcomes(*mutations: Any) -> list[str]:
    """Run mutations at once; return the code of each refusal, and `done` for the others."""
    found = await asyncio.gather(*mutations, return_exceptions=True)
    assert all(isinstance(each, Rejected) or not isinstance(each, BaseException) for each in found), found
    return [each.problems[0].code.name if isinstance(each, Rejected) else "done" for each in found]


async def entries(database: Database, action: AuditAction) -> list[tuple[str, str]]:
    """Return the names and keys of the audit entries of an action."""
    async with database.read() as session:
        found = await session.exec(select(AuditEntry).where(AuditEntry.action == action))
        return sorted((each.object_name, each.key) for each in found)


async def stored(database: Database) -> dict[str, Pipeline]:
    async with database.read() as session:
        return {each.id: each for each in await session.exec(select(Pipeline))}


async def test_deletions_at_once_are_each_told_and_recorded(database: Database, heard: list[Change]) -> None:
    ids = await create(database, 7)
    await start(database, heard, ids[2], None)
    callers = {ids[1]: STRANGER, ids[4]: READER, ids[5]: NARROW}
    asked = [ids[0], ids[0], "none", *ids[1:]]
    codes = await outcomes(*(service.delete(database, callers.get(id, ME), id) for id in asked))
    assert sorted(codes[:2]) == ["NOT_FOUND", "done"]
    assert codes[0] == "done" or not database.reads_inline
    assert codes[2:] == ["NOT_FOUND", "NOT_FOUND", "INVALID_STATE", "done", "FORBIDDEN", "NOT_FOUND", "done"]
    assert set(await stored(database)) == {ids[1], ids[2], ids[4], ids[5]}
    assert await entries(database, AuditAction.DELETED) == [("n0", ME.key), ("n3", ME.key), ("n6", ME.key)]
    async with database.read() as session:
        left = {each.pipeline_id for each in await session.exec(select(PipelineElement))}
    assert left == {ids[1], ids[2], ids[4], ids[5]}
    await until(lambda: len(heard) >= 3, 10)
    await asyncio.sleep(0.1)
    told = {each.id: each for each in heard}
    assert len(heard) == len(told) == 3
    for i in (0, 3, 6):
        before = told[ids[i]].before
        assert before
        assert before.element_types == kinds_of(i)
        assert told[ids[i]].after is None


async def test_starts_at_once_keep_their_order_and_requests(database: Database, heard: list[Change]) -> None:
    ids = await create(database, 6)
    await start(database, heard, ids[5], "earlier")
    callers = {ids[3]: STRANGER, ids[4]: READER}
    asked = [ids[1], ids[0], "none", *ids[2:], ids[1]]
    requests = {id: f"request {i}" for i, id in enumerate(asked[:-1])} | {ids[2]: None}
    codes = await outcomes(*(lifecycle.start(database, LIMITS, callers.get(id, ME), id, requests[id]) for id in asked))
    assert codes == ["done", "done", "NOT_FOUND", "done", "NOT_FOUND", "FORBIDDEN", "done", "done"]
    rows = await stored(database)
    by_start = sorted((each for each in rows.values() if each.started_at), key=lambda each: str(each.started_at))
    if database.reads_inline:
        assert [each.id for each in by_start] == [ids[5], ids[1], ids[0], ids[2]]
    assert {each.id: each.request_id for each in by_start} == {
        ids[5]: "earlier",
        **{id: requests[id] for id in (ids[1], ids[0], ids[2])},
    }
    assert {each.started_by for each in by_start} == {ME.key}
    assert all(each.updated_at == each.started_at for each in by_start)
    names = [(f"n{i}", ME.key) for i in (0, 1, 2, 5)]
    assert await entries(database, AuditAction.STARTED) == names
    async with database.read() as session:
        elements = list(await session.exec(select(PipelineElement)))
    given = {each.pipeline_id for each in elements if each.job_status is JobStatus.PENDING and each.job_id}
    assert given == {ids[i] for i in (0, 1, 2, 5)}
    assert {each.pipeline_id for each in elements if each.job_id is None} == {ids[3], ids[4]}
    assert len({each.job_id for each in elements if each.job_id}) == sum(each.job_id is not None for each in elements)
    await until(lambda: len(heard) >= 3, 10)
    await asyncio.sleep(0.1)
    told = {each.id: each for each in heard}
    assert len(heard) == len(told) == 3
    for id, change in told.items():
        assert change.before
        assert change.after
        assert change.before.element_types == change.after.element_types == kinds_of(ids.index(id))
        assert (change.before.status, change.before.started_at) == (PipelineStatus.PENDING, None)
        assert (change.after.status, change.after.started_at) == (PipelineStatus.RUNNING, rows[id].started_at)


@pytest.mark.parametrize(
    ("changed", "size", "is_long"),
    [
        ({}, deletion.MOST_SHORT, False),
        ({}, deletion.MOST_SHORT + 1, True),
        ({"status": PipelineStatus.COMPLETED}, 1, True),
        ({"rerun_of": "original"}, 1, True),
    ],
)
def test_only_deletions_without_results_and_long_configurations_are_short(
    changed: dict[str, Any], size: int, is_long: bool
) -> None:
    pipeline = NEW()
    values = {"id": "i", "organization_id": "o", "status": PipelineStatus.PENDING}
    vars(pipeline).update(dict.fromkeys(Pipeline.__table__.c.keys()), **{**values, **changed})  # type: ignore[attr-defined]
    deletions = deletion.Deletion(ME)
    assert list(deletions.admit(pipeline)) == []
    steps = deletions.write()
    next(steps)
    assert (steps.send([("i", ElementType.DATA_FIT, size)]) is Pace.LONG) is is_long


def test_loaded_rows_are_read_before_the_first_use_of_the_orm() -> None:
    code = "from app.pipelines.transactions.rows import COLUMNS, loaded; print(loaded(COLUMNS).organization_id)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "organization_id\n"
