"""Answers to events that equal subscriptions share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from app.auth import keys
from app.auth.caller import Caller
from app.auth.keys import KeyStore, open_keys
from app.auth.rate_limit import RateLimiter
from app.database.connect import database_url as parsed
from app.errors import RequestErrorCode
from app.models.enums import PipelineStatus
from app.pipelines import repository
from schema.answers.subscriptions import Subscriptions
from tests.api import Api
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, PATIENCE, WATCH, Live, stream

WHOLE = """subscription ($filter: PipelineFilter) {
  pipelinesUpdated(filter: $filter) {
    pipeline { name description status projectId error elements { name status jobConfig job { status } } }
  }
}"""
DELETED = None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Payloads of which answers were made."""
    payloads: list[Any] = []
    make = Subscriptions._make

    async def counted(self: Subscriptions, executor: Any, rights: Any, payload: Any) -> Any:
        payloads.append(payload)
        return await make(self, executor, rights, payload)

    monkeypatch.setattr(Subscriptions, "_make", counted)
    return payloads


async def heard_by_three(database_url: str, shared: bool) -> list[list[Any]]:
    """Return all that two sockets and an event stream with one operation hear of some changes."""
    async with (
        clients.live(database_url, shared_answers=shared) as live,
        clients.socket(live.url) as one,
        clients.socket(live.url) as other,
        stream(live.http, WHOLE, filter={"projectId": "project"}) as events,
    ):
        await anext(events.lines)
        for socket in (one, other):
            await socket.subscribe(WHOLE, filter={"projectId": "project"})
            await socket.settle()
        heard: list[list[Any]] = [[], [], []]

        async def hear() -> None:
            for own, listen in zip(heard, (one.next, other.next, events.data), strict=True):
                own.append((await listen())["pipeline"])

        id = (await live.api.create(name="first", description="line\r\nbreak"))["id"]
        await hear()
        await live.api.create(name="hidden", projectId="another")
        await live.api.run("UpdatePipeline", id=id, input={"name": "second"})
        await hear()
        await live.move(id, PipelineStatus.FAILED)
        await hear()
        await live.api.run("DeletePipeline", id=id)
        await hear()
        return heard


async def test_are_equal_to_answers_that_are_not_shared(made: list[Any], database_url: str) -> None:
    shared = await heard_by_three(database_url, shared=True)
    assert len(made) == 4
    made.clear()
    own = await heard_by_three(database_url, shared=False)
    assert len(made) == 12
    assert shared == own
    assert shared[0] == shared[1] == shared[2]
    assert [state and (state["name"], state["status"]) for state in shared[0]] == [
        ("first", "PENDING"),
        ("second", "PENDING"),
        ("second", "FAILED"),
        DELETED,
    ]


async def test_depend_on_document_and_variables(made: list[Any], live: Live) -> None:
    other = FOLLOW.replace("{ name status }", "{ name }")
    async with clients.socket(live.url) as socket:
        await socket.subscribe(FOLLOW, "a", filter=None)
        await socket.subscribe(FOLLOW, "b", filter={"nameContains": "x"})
        await socket.subscribe(other, "c", filter=None)
        await socket.subscribe(FOLLOW, "d", filter=None)
        await socket.settle()
        id = (await live.api.create(name="xy"))["id"]
        heard = {message["id"]: message["payload"]["data"] for message in [await socket.receive() for _ in range(4)]}
    whole = {"pipelinesUpdated": {"kind": "ENTERED", "pipelineId": id, "pipeline": {"name": "xy", "status": "PENDING"}}}
    name = {"pipelinesUpdated": {"kind": "ENTERED", "pipelineId": id, "pipeline": {"name": "xy"}}}
    assert heard == {"a": whole, "b": whole, "c": name, "d": whole}
    assert len(made) == 3


async def test_current_state_of_a_new_subscriber_is_the_newest(made: list[Any], each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    async with clients.socket(each_live.url) as socket:
        for number in range(5):
            await each_live.api.run("UpdatePipeline", id=id, input={"name": str(number)})
            await socket.subscribe(WATCH, str(number), id=id)
            names = set()
            while str(number) not in names:  # earlier ones hear of the change too
                message = await socket.receive()
                value = message["payload"]["data"]["pipelineUpdated"]
                if message["id"] == str(number):
                    assert value["name"] == str(number)
                    names.add(str(number))


@pytest.fixture
async def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeyStore]:
    """Keys of a server, over each kind of database in turn."""
    monkeypatch.setattr(keys, "FRESH", 0.0)
    async with open_keys(parsed(database_url)) as opened:
        yield opened


@pytest.fixture
async def locked(store: KeyStore, database_url: str) -> AsyncIterator[Live]:
    await store.create("nobody")
    async with clients.live(database_url, max_subscriptions=2) as running:
        yield running


async def test_never_mix_rights(store: KeyStore, locked: Live) -> None:
    """Two organizations, and in one of them keys for all projects, for one and for another."""
    given: dict[str, Any] = {
        "all": await store.create("ours", user_id="ada", email="ada@ours.example"),
        "same": await store.create("ours", user_id="bob", email="bob@ours.example"),
        "p": await store.create("ours", projects=["p"]),
        "q": await store.create("ours", projects=["q"]),
        "theirs": await store.create("theirs"),
    }
    expected = {"all": ["p", "q", "end"], "same": ["p", "q", "end"], "p": ["p", "end"], "q": ["q"], "theirs": ["t"]}
    async with AsyncExitStack() as opened:
        sockets = {}
        for name, secret in given.items():
            opening = clients.socket(locked.url, additional_headers={"x-api-key": secret})
            sockets[name] = await opened.enter_async_context(opening)
            await sockets[name].subscribe(FOLLOW, filter=None)
            await sockets[name].settle()
        for key, project, name in (("all", "p", "p"), ("all", "q", "q"), ("theirs", "p", "t"), ("all", "p", "end")):
            http = await opened.enter_async_context(_client(locked, given[key]))
            await Api(http).create(projectId=project, name=name)
        for name, names in expected.items():
            assert sorted([(await sockets[name].next())["pipeline"]["name"] for _ in names]) == sorted(names)
        for socket in sockets.values():
            await socket.settle()  # nothing else came: a pong is next


def _client(live: Live, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=live.url, trust_env=False, headers={"x-api-key": secret})


async def test_cost_and_quota_are_counted_for_each_subscriber(
    store: KeyStore, locked: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, spent = await store.create("ours"), []
    spend = RateLimiter.spend

    def noted(self: RateLimiter, caller: Caller, cost: int) -> int | None:
        spent.append((caller.key, cost))
        return spend(self, caller, cost)

    monkeypatch.setattr(RateLimiter, "spend", noted)
    async with AsyncExitStack() as opened:
        for _ in range(2):
            opening = clients.socket(locked.url, additional_headers={"x-api-key": secret})
            subscriber = await opened.enter_async_context(opening)
            await subscriber.subscribe(FOLLOW, filter=None)
            await subscriber.settle()
        await subscriber.subscribe(FOLLOW, "third", filter=None)
        refused = await subscriber.receive()
        assert (refused["type"], refused["id"]) == ("error", "third")
        assert refused["payload"][0]["extensions"]["code"] == RequestErrorCode.TOO_MANY_OPEN.value
    [(key, cost), *others] = spent
    assert secret.startswith(str(key))
    assert cost > 0
    assert others == [(key, cost)] * 2


async def test_a_slow_reader_does_not_hold_its_equals(live: Live) -> None:
    query = "subscription { pipelinesUpdated { pipelineId pipeline { name description } } }"
    ids = [(await live.api.create(description="d" * 10_000))["id"] for _ in range(40)]
    async with (
        clients.socket(live.url, max_queue=1) as slow,
        clients.socket(live.url, max_queue=None) as quick,
        asyncio.timeout(6 * PATIENCE),
    ):
        for socket in (slow, quick):
            await socket.subscribe(query)
            await socket.settle()
        for number in range(10):
            for id in ids:
                await live.api.run("UpdatePipeline", id=id, input={"name": str(number)})
            newest: dict[str, str] = {}
            while set(newest.values()) != {str(number)} or len(newest) < len(ids):
                change = await quick.next()
                newest[change["pipelineId"]] = change["pipeline"]["name"]
        heard: dict[str, str] = {}
        while set(heard.values()) != {"9"} or len(heard) < len(ids):
            change = await slow.next()
            heard[change["pipelineId"]] = change["pipeline"]["name"]


async def test_a_failed_answer_is_logged_once_and_ends_no_other(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no elements today")

    query = "subscription { pipelinesUpdated { pipelineId pipeline { elements { name } } } }"
    async with clients.socket(live.url) as socket:
        for key in ("a", "b", "c"):
            await socket.subscribe(query, key)
        await socket.settle()
        with monkeypatch.context() as patched:
            patched.setattr(repository, "elements_of", broken)
            await live.api.create()
            messages = [await socket.receive() for _ in range(3)]
        assert {message["type"] for message in messages} == {"next"}
        assert len({str(message["payload"]["errors"]) for message in messages}) == 1
        assert sum("internal error" in record.message for record in caplog.records) == 1
        await live.api.create(name="works")
        after = [await socket.receive() for _ in range(3)]
        assert all(message["payload"]["data"]["pipelinesUpdated"]["pipeline"]["elements"] for message in after)


async def test_a_crowd_hears_every_one_of_many_quick_changes(database_url: str) -> None:
    """The broker wakes a crowd bit by bit, and some have taken a change before they are woken for it."""
    sockets, subscriptions, number = 3, 60, 40
    async with clients.live(database_url) as live, AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(clients.socket(live.url)) for _ in range(sockets)]
        for socket in opened:
            for key in range(subscriptions):
                await socket.subscribe(FOLLOW, f"{key}")
            await socket.settle()
        created = [(await live.api.create(name=f"p{place}"))["id"] for place in range(number)]
        for socket in opened:
            heard: dict[str, set[str]] = {}
            while sum(map(len, heard.values())) < subscriptions * number:
                message = await socket.receive()
                assert message["type"] == "next", message
                change = message["payload"]["data"]["pipelinesUpdated"]
                heard.setdefault(message["id"], set()).add(change["pipelineId"])
            assert all(each == set(created) for each in heard.values())
