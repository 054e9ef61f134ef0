"""Kinds of changes: what a subscriber is told of merged changes, and of changes without snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from app.auth.caller import Caller
from app.database.broker import Match, Subscriber
from app.database.changes import LONGEST_PAYLOAD, Change, Snapshot, decode_change, encode_change
from app.models.enums import ElementType, PipelineStatus
from app.pipelines.feed.kinds import MOST_GONE, Kind, Kinds
from app.pipelines.feed.readings import Reading
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.predicates import predicate
from tests.schema.subscriptions.clients import FOLLOW, Live, socket

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
TYPES = frozenset([ElementType.DATA_FIT])
RUNNING = Snapshot("p", "a@b.c", AT, AT, "name", PipelineStatus.RUNNING, None, None, AT, None, None, "[]", TYPES)
ENDED = replace(RUNNING, status=PipelineStatus.COMPLETED)
HIDDEN = replace(RUNNING, project_id="q")
FILTER = PipelineFilter((predicate("status", "in", [PipelineStatus.RUNNING]),))
NARROW = Caller("o", projects=frozenset("p"))


def change(before: Snapshot | None, after: Snapshot | None) -> Change:
    return Change("o", "1", before, after)


class Row:
    """Reading of a pipeline that exists or not, and matches or not."""

    def __init__(self, exists: bool, matches: bool = False) -> None:
        self.pipeline = SimpleNamespace(id="1") if exists else None
        self._matches = matches

    async def matches(self, *_: Any) -> bool:
        return self._matches


async def kinds_of(changes: list[list[Change]], rows: list[Row], caller: Caller = NARROW) -> list[str | None]:
    """Return the kinds that a subscriber is told, who reads after each list of changes."""
    unused: Any = None
    subscriber, kinds, told = Subscriber(caller, FILTER.match), Kinds(unused, FILTER), []
    for merged, row in zip(changes, rows, strict=True):
        for each in merged:
            match = subscriber.match(each)
            if match is not None:
                subscriber.note(each.id, match)
        taken = await subscriber.take(1) if subscriber._ids else {}
        for id, match in taken.items():
            reading: Any = row
            kind = await kinds.of(id, match, reading)
            told.append(kind and kind.name)
    return told


@pytest.mark.parametrize(
    ("merged", "kind"),
    [
        ([(None, RUNNING)], "ENTERED"),
        ([(ENDED, RUNNING)], "ENTERED"),
        ([(RUNNING, RUNNING)], "CHANGED"),
        ([(RUNNING, ENDED)], "LEFT"),
        # Merged: what was told last and what is now.
        ([(RUNNING, ENDED), (ENDED, RUNNING)], "CHANGED"),
        ([(ENDED, RUNNING), (RUNNING, RUNNING)], "ENTERED"),
        ([(RUNNING, RUNNING), (RUNNING, ENDED)], "LEFT"),
        ([(ENDED, RUNNING), (RUNNING, ENDED)], None),
        ([(ENDED, RUNNING), (RUNNING, None)], None),
        ([(RUNNING, ENDED), (ENDED, RUNNING), (RUNNING, None)], "DELETED"),
        # From and to a project that the key may not use.
        ([(HIDDEN, RUNNING)], "ENTERED"),
        ([(RUNNING, HIDDEN)], "DELETED"),
        ([(RUNNING, HIDDEN), (HIDDEN, RUNNING)], "CHANGED"),
        ([(HIDDEN, RUNNING), (RUNNING, HIDDEN)], None),
    ],
)
async def test_merged_changes_are_told_by_what_was_told_last(merged: list[Any], kind: str | None) -> None:
    last = merged[-1][1]
    row = Row(last is not None and last is not HIDDEN)
    assert await kinds_of([[change(*each) for each in merged]], [row]) == [kind]


async def test_a_deletion_that_is_read_before_its_event_is_told_once() -> None:
    gone = Row(False)
    changes = [[change(RUNNING, RUNNING)], [change(RUNNING, ENDED)], [change(ENDED, RUNNING), change(RUNNING, None)]]
    assert await kinds_of(changes, [gone, gone, gone]) == ["DELETED", None, None]
    assert await kinds_of([[change(None, RUNNING)], [change(RUNNING, None)]], [gone, gone]) == [None, None]
    back = [[change(RUNNING, RUNNING)], [change(RUNNING, HIDDEN), change(HIDDEN, RUNNING)]]
    assert await kinds_of(back, [gone, Row(True)]) == ["DELETED", "ENTERED"]


async def test_deletions_that_are_awaited_are_bounded() -> None:
    unused: Any = None
    kinds, gone = Kinds(unused, FILTER), Row(False)
    for number in range(3 * MOST_GONE):
        reading: Any = gone
        assert await kinds.of(str(number), Match(True, True), reading) is Kind.DELETED
    assert len(kinds._gone) <= MOST_GONE


def cut(before: Snapshot | None, after: Snapshot | None) -> Change:
    """Change whose notification has no room for snapshots."""
    long = "x" * LONGEST_PAYLOAD
    before, after = (each and replace(each, created_by_email=long) for each in (before, after))
    decoded = decode_change(encode_change(change(before, after)))
    assert decoded is not None
    assert (decoded.before, decoded.after) == (None, None)
    return decoded


@pytest.mark.parametrize(
    ("told", "row", "kind"),
    [
        (cut(RUNNING, RUNNING), Row(True, True), "ENTERED"),
        (cut(RUNNING, ENDED), Row(True), "LEFT"),
        (cut(ENDED, ENDED), Row(True), "LEFT"),
        (cut(RUNNING, None), Row(False), "DELETED"),
        # Known without snapshots: it did not exist before, or the key could not see it.
        (cut(None, RUNNING), Row(True, True), "ENTERED"),
        (cut(None, ENDED), Row(True), None),
        (cut(HIDDEN, ENDED), Row(True), None),
        (cut(RUNNING, HIDDEN), Row(False), "DELETED"),
    ],
)
async def test_without_snapshots_the_state_now_is_read(told: Change, row: Row, kind: str | None) -> None:
    assert await kinds_of([[told]], [row]) == [kind]


async def test_without_snapshots_projects_decide_filters_of_projects() -> None:
    for filter in (PipelineFilter(), PipelineFilter((predicate("project_id", "eq", "p"),))):
        assert filter.match(cut(RUNNING, ENDED)) == Match(True, True)
        assert filter.match(cut(None, RUNNING)) == Match(False, True)
        assert filter.match(cut(RUNNING, None)) == Match(True, False, True)
    assert PipelineFilter((predicate("project_id", "eq", "r"),)).match(cut(RUNNING, ENDED)) is None


async def test_readings_share_the_answer_to_a_filter() -> None:
    unused: Any = None
    reading, reads = Reading(unused, None), []

    async def read() -> bool:
        reads.append(1)
        return True

    assert [await reading.matches(FILTER, read) for _ in range(3)] == [True] * 3
    assert len(reads) == 1


async def test_equal_subscriptions_are_told_their_own_kind(each_live: Live) -> None:
    """Subscriptions with equal operations share answers, but not with those that are told another kind."""
    id = (await each_live.api.create(name="old"))["id"]
    filters = {"all": None, "renamed": {"nameContains": "new"}, "before": {"nameContains": "old"}}
    expected = {"all": "CHANGED", "renamed": "ENTERED", "before": "LEFT"}
    aliased = FOLLOW.replace("(filter: $filter)", "(filter: {nameContains: $part})").replace(
        "($filter: PipelineFilter)", "($part: String)"
    )
    async with socket(each_live.url) as follower:
        for key, filter in filters.items():
            await follower.subscribe(FOLLOW, key, filter=filter)
        await follower.subscribe(aliased, "aliased", part="new")
        await follower.settle()
        await each_live.api.run("UpdatePipeline", id=id, input={"name": "new"})
        told = {}
        for _ in range(4):
            message = await follower.receive()
            told[message["id"]] = message["payload"]["data"]["pipelinesUpdated"]["kind"]
    assert told == {**expected, "aliased": "ENTERED"}


async def test_a_deletion_names_the_id_for_caches(each_live: Live) -> None:
    query = "subscription { pipelinesUpdated { kind pipelineId deletedPipelineId pipeline { id } } }"
    async with socket(each_live.url) as follower:
        await follower.subscribe(query)
        await follower.settle()
        id = (await each_live.api.create())["id"]
        assert await follower.next() == {
            "kind": "ENTERED",
            "pipelineId": id,
            "deletedPipelineId": None,
            "pipeline": {"id": id},
        }
        await each_live.api.run("DeletePipeline", id=id)
        assert await follower.next() == {
            "kind": "DELETED",
            "pipelineId": id,
            "deletedPipelineId": id,
            "pipeline": None,
        }
