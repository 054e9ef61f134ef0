"""Delivery of changes to subscribers, without GraphQL."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.auth.authenticator import Authenticator
from app.auth.caller import Caller
from app.auth.keys import KeyRing
from app.auth.revocation import RevocationPoller
from app.database.broker import AT_ONCE, LEAD, MOST_PENDING, Broker, Subscriber, anything
from app.database.changes import LONGEST_PAYLOAD, Change, Snapshot, decode_change, encode_change
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.errors import Busy, RequestError, RequestErrorCode
from app.models.enums import ElementType, JobErrorCode, PipelineStatus
from app.pipelines import service
from app.pipelines.elements import SubmittedElements
from app.pipelines.feed.subscriptions import Feed
from app.pipelines.inputs import parse_create
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.predicates import predicate

OURS, THEIRS = Caller("ours"), Caller("theirs")
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
STATE = Snapshot(
    "p",
    "a@b.c",
    AT,
    AT,
    "name",
    PipelineStatus.FAILED,
    JobErrorCode.MODEL_ERROR,
    "user",
    AT,
    AT,
    1.5,
    '["label"]',
    frozenset(ElementType),
)


def feed_of(database: Database) -> Feed:
    """Feed without polling of keys."""
    keys: Any = None
    return Feed(database, RevocationPoller(Authenticator(KeyRing(keys), allow_anyone=False)))


def filter_of(*conditions: Any) -> PipelineFilter:
    """Filter by conditions: fields, operators and operands. An empty condition is left out."""
    return PipelineFilter(tuple(predicate(*each) for each in conditions if each))


async def create(database: Database, caller: Caller) -> str:
    wanted = parse_create(
        project_id="p",
        name=None,
        description=None,
        elements=SubmittedElements([("a", ElementType.CALCULATION, {})], None),
        live_progress_updates=None,
    )
    return (await service.create(database, caller, wanted)).id


async def test_nothing_crosses_organizations(database_url: str) -> None:
    async with open_database(parsed(database_url), 100) as database:
        feed = feed_of(database)
        mine = await create(database, OURS)
        with pytest.raises(Exception, match="The pipeline does not exist"):
            await anext(feed.states(THEIRS, mine))
        async with aclosing(feed.changes(THEIRS, PipelineFilter())) as changes:
            hearing = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            await database.listen()
            await create(database, OURS)
            theirs = await create(database, THEIRS)
            changed = (await asyncio.wait_for(hearing, 5)).payload
            assert changed.id == theirs
            assert changed.newest.organization_id == "theirs"
        assert not database.broker._subscribers


async def test_a_subscriber_of_another_organization_hears_nothing_of_the_same_id() -> None:
    broker = Broker()
    with broker.subscribe(OURS, "1") as mine, broker.subscribe(THEIRS, "1") as theirs, broker.subscribe(THEIRS) as all:
        broker.publish(Change("ours", "1", None, STATE))
        assert list(await mine.take(1)) == ["1"]
        for other in (theirs, all):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.take(1), 0.01)


async def test_pending_changes_of_a_pipeline_are_one() -> None:
    subscriber = Subscriber(OURS, anything)
    for id in ("a", "b", "a", "c", "b"):
        subscriber.note(id)
    assert list(await subscriber.take(2)) == ["a", "b"]
    assert list(await subscriber.take(2)) == ["c"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(subscriber.take(1), 0.01)


@pytest.mark.parametrize("works", [LEAD / 4, 60.0])
async def test_a_crowd_is_woken_once_one_of_the_first_is_done_or_after_a_while(works: float) -> None:
    broker, woken = Broker(), list[float]()
    loop = asyncio.get_running_loop()

    async def follow(subscriber: Subscriber) -> None:
        while True:
            await subscriber.take(1)
            woken.append(loop.time())
            await asyncio.sleep(works)

    subscribers = [Subscriber(OURS, anything) for _ in range(3 * AT_ONCE)]
    for subscriber in subscribers:
        broker.add(subscriber, None, "kind")
    following = [asyncio.create_task(follow(subscriber)) for subscriber in subscribers]
    await asyncio.sleep(0)
    began = loop.time()
    broker.publish(Change("ours", "1", None, STATE))
    async with asyncio.timeout(10):
        while len(woken) < len(subscribers):  # noqa: ASYNC110  the broker has no event for its tests
            await asyncio.sleep(0.001)
    assert woken[AT_ONCE] - began >= min(works, LEAD)
    for task in following:
        task.cancel()


async def test_who_took_the_changes_before_it_was_woken_waits_for_others() -> None:
    subscriber = Subscriber(OURS, anything)
    subscriber.note("a")
    assert list(await subscriber.take(1)) == ["a"]
    taking = asyncio.create_task(subscriber.take(1))
    await asyncio.sleep(0)
    subscriber.wake()  # for the change that it took
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(taking), 0.05)
    assert subscriber.is_waiting
    subscriber.note("b")
    subscriber.wake()
    assert list(await taking) == ["b"]


async def test_who_falls_too_far_behind_is_told_so_and_holds_no_more() -> None:
    subscriber = Subscriber(OURS, anything)
    for number in range(2 * MOST_PENDING + 5):
        subscriber.note(str(number))
        assert len(subscriber._ids) <= MOST_PENDING
    with pytest.raises(Busy):
        await subscriber.take(1)


def test_a_change_comes_through_a_notification_as_it_was() -> None:
    change = Change("o", "1", replace(STATE, element_types=frozenset()), STATE)
    assert decode_change(encode_change(change)) == change
    assert decode_change(encode_change(Change("o", "1", STATE, None))) == Change("o", "1", STATE, None)


def test_a_change_that_is_too_long_for_a_notification_still_tells_that_there_was_one() -> None:
    change = Change("o", "1", STATE, replace(STATE, created_by_email="é" * LONGEST_PAYLOAD))
    assert decode_change(encode_change(change)) == Change("o", "1", None, None, is_whole=False, project_ids=("p", "p"))
    widest = "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 255
    name = replace(STATE, folded_name=widest.casefold(), project_id="\x01" * 255)
    assert decode_change(encode_change(Change("o", "1", name, name))) == Change("o", "1", name, name)


@pytest.mark.parametrize("payload", ["", "{}", "nonsense", '{"id": 1}'])
def test_what_others_notify_is_no_change(payload: str) -> None:
    assert decode_change(payload) is None


@pytest.mark.parametrize(
    ("filter", "concerned"),
    [
        ((), True),
        (("project_id", "eq", "p"), True),
        (("project_id", "eq", "q"), False),
        (("created_by_email", "eq", "x"), False),
        (("created_at", "gt", AT), False),
        (("status", "in", [PipelineStatus.RUNNING]), True),
        (("name", "contains", "other"), True),
    ],
)
def test_of_what_was_missed_nobody_is_kept_who_may_have_matched(filter: Any, concerned: bool) -> None:
    missed = Change("o", "1", None, STATE, is_whole=False)
    assert (filter_of(filter).match(missed) is not None) is concerned
    assert filter_of(filter).match(Change("o", "1", None, None, is_whole=False)) is not None


NARROW = Caller("o", projects=frozenset({"p", "r"}))
HIDDEN = replace(STATE, project_id="q", folded_name="secret", created_by_email="s@b.c")
CHANGES: list[tuple[Change, Any, bool]] = [
    (Change("o", "1", None, STATE), (), True),
    (Change("o", "1", STATE, None), (), True),
    (Change("o", "1", None, HIDDEN), (), False),
    (Change("o", "1", HIDDEN, None), (), False),
    (Change("o", "1", HIDDEN, HIDDEN), (), False),
    (Change("o", "1", HIDDEN, HIDDEN), ("name", "contains", "secret"), False),
    # A pipeline that leaves a hidden project, and one that moves into it.
    (Change("o", "1", HIDDEN, STATE), (), True),
    (Change("o", "1", HIDDEN, STATE), ("name", "contains", "secret"), False),
    (Change("o", "1", HIDDEN, STATE), ("created_by_email", "eq", "s@b.c"), False),
    (Change("o", "1", HIDDEN, STATE), ("name", "contains", "name"), True),
    (Change("o", "1", STATE, HIDDEN), (), True),
    (Change("o", "1", STATE, HIDDEN), ("name", "contains", "secret"), False),
    (Change("o", "1", STATE, HIDDEN), ("name", "contains", "name"), True),
    # Missed changes, or changes without snapshots.
    (Change("o", "1", None, STATE, is_whole=False), (), True),
    (Change("o", "1", None, HIDDEN, is_whole=False), (), False),
    (Change("o", "1", None, HIDDEN, is_whole=False), ("created_by_email", "eq", "s@b.c"), False),
    (Change("o", "1", STATE, None).without_snapshots(), (), True),
    (Change("o", "1", None, HIDDEN).without_snapshots(), (), False),
    (Change("o", "1", HIDDEN, STATE).without_snapshots(), (), True),
    (Change("o", "1", HIDDEN, STATE).without_snapshots(), ("project_id", "eq", "p"), True),
    (Change("o", "1", HIDDEN, STATE).without_snapshots(), ("project_id", "eq", "r"), False),
    (Change("o", "1", None, None, is_whole=False), (), False),
]


@pytest.mark.parametrize(("change", "filter", "concerned"), CHANGES)
def test_of_hidden_projects_nothing_is_told_and_no_filter_looks_into_them(
    change: Change, filter: Any, concerned: bool
) -> None:
    assert (Subscriber(NARROW, filter_of(filter).match).match(change) is not None) is concerned


@pytest.mark.parametrize("change", [change for change, _, _ in CHANGES])
def test_without_bounds_of_projects_all_of_the_organization_is_told(change: Change) -> None:
    assert Subscriber(Caller("o"), anything).match(change) is not None


async def test_hidden_changes_cannot_overrun_a_subscription() -> None:
    broker = Broker()
    with broker.subscribe(NARROW) as narrow:
        for number in range(MOST_PENDING + 1):
            broker.publish(Change("o", str(number), None, HIDDEN))
        broker.publish(Change("o", "mine", None, STATE))
        assert list(await narrow.take(10)) == ["mine"]


async def test_a_filter_by_a_foreign_project_is_refused_as_lists_refuse_it(sqlite_url: str) -> None:
    async with open_database(parsed(sqlite_url), 100) as database:
        for project in ("q", "nowhere"):
            with pytest.raises(RequestError) as refused:
                await anext(feed_of(database).changes(NARROW, filter_of(("project_id", "eq", project))))
            assert refused.value.code is RequestErrorCode.FORBIDDEN


def test_times_are_compared_as_lists_compare_them() -> None:
    change, tick = Change("o", "1", None, STATE), timedelta(microseconds=1)
    assert not filter_of(("updated_at", "gt", AT)).match(change)
    assert filter_of(("updated_at", "gt", AT - tick), ("updated_at", "lt", AT + tick)).match(change)
    assert not filter_of(("updated_at", "lt", AT)).match(change)
