"""Quota of open WebSockets and subscriptions per key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.auth.caller import LOCAL, Caller
from app.auth.keys import KeyStore
from app.auth.quotas import ConcurrencyQuota
from app.errors import RequestError, RequestErrorCode
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, PATIENCE, Live

VIEWER = "{ viewer { organizationId } }"
EVENTS = {"accept": "text/event-stream"}


@pytest.fixture
async def live(store: KeyStore, sqlite_url: str) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url, max_sockets=2, max_subscriptions=2) as running:
        yield running


async def gauge(live: Live, name: str) -> int:
    text = (await live.http.get("/metrics")).text
    return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} "))))


async def until(live: Live, name: str, value: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await gauge(live, name) != value:  # noqa: ASYNC110  the server has no event for its tests
            await asyncio.sleep(0.01)


def test_callers_hold_nothing_for_each_other() -> None:
    slots = ConcurrencyQuota(1, "things")
    ours, theirs = Caller("a", key="vg_1"), Caller("a", key="vg_2")
    for caller in (ours, theirs, LOCAL):
        slots.take(caller)
    assert slots.held == 3
    for caller in (ours, theirs, LOCAL):
        with pytest.raises(RequestError) as refused:
            slots.take(caller)
        assert refused.value.code is RequestErrorCode.TOO_MANY_OPEN
    assert slots.held == 3
    for caller in (ours, theirs, LOCAL):
        slots.give_back(caller)
    assert slots.held == 0
    slots.take(ours)
    assert slots.held == 1


@pytest.mark.parametrize("with_key", [False, True], ids=["local", "key"])
async def test_one_socket_too_many_is_closed_until_another_goes(store: KeyStore, live: Live, with_key: bool) -> None:
    headers = {"x-api-key": await store.create("ours")} if with_key else {}
    async with clients.socket(live.url, additional_headers=headers) as first:
        async with clients.socket(live.url, additional_headers=headers) as second:
            async with clients.socket(live.url, ready=False, additional_headers=headers) as third:
                await third.send({"type": "connection_init"})
                code, reason = await third.closed()
                assert (code, "at most 2 WebSockets" in (reason or "")) == (1013, True)
            assert await gauge(live, "voltgraph_open_sockets") == 2
            second.connection.transport.abort()
        await until(live, "voltgraph_open_sockets", 1)
        async with clients.socket(live.url, additional_headers=headers) as fourth:
            await fourth.subscribe(VIEWER)
            assert await fourth.next()
        await first.subscribe(VIEWER)
        assert await first.next()
    await until(live, "voltgraph_open_sockets", 0)


async def test_sockets_of_another_key_are_not_counted(store: KeyStore, live: Live) -> None:
    ours, theirs = [{"x-api-key": await store.create("ours")} for _ in range(2)]
    async with (
        clients.socket(live.url, additional_headers=ours),
        clients.socket(live.url, additional_headers=ours),
        clients.socket(live.url, additional_headers=theirs) as socket,
    ):
        await socket.subscribe(VIEWER)
        assert await socket.next()


async def test_subscriptions_are_counted_over_sockets_and_streams(live: Live) -> None:
    async with clients.stream(live.http, FOLLOW) as events, clients.socket(live.url) as socket:
        await anext(events.lines)
        await socket.subscribe(FOLLOW, "1")
        await socket.settle()
        assert await gauge(live, "voltgraph_subscriptions") == 2
        await socket.subscribe(FOLLOW, "2")
        message = await socket.receive()
        assert (message["type"], message["id"]) == ("error", "2")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPEN"
        refused = await live.http.post("/graphql", json={"query": FOLLOW}, headers=EVENTS)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_OPEN"
        await socket.subscribe(VIEWER, "2")
        assert await socket.next("2")
        assert (await live.http.post("/graphql", json={"query": VIEWER}, headers=EVENTS)).status_code == 200


async def test_what_ends_in_whatever_way_is_counted_no_more(live: Live) -> None:
    async with clients.socket(live.url) as socket:
        await socket.subscribe(FOLLOW, "1")
        await socket.subscribe(FOLLOW, "2")
        await until(live, "voltgraph_subscriptions", 2)
        await socket.send({"type": "complete", "id": "1"})
        await until(live, "voltgraph_subscriptions", 1)
        await socket.subscribe(FOLLOW, "1")
        await until(live, "voltgraph_subscriptions", 2)
        socket.connection.transport.abort()
    await until(live, "voltgraph_subscriptions", 0)
    async with clients.stream(live.http, FOLLOW) as events:
        await anext(events.lines)
        assert await gauge(live, "voltgraph_subscriptions") == 1
    await until(live, "voltgraph_subscriptions", 0)
    id = (await live.api.create())["id"]
    await live.api.run("CancelPipeline", id=id)
    async with clients.stream(live.http, clients.WATCH, id=id) as events:
        assert (await events.data())["status"] == "CANCELED"
        assert await events.next() == ("complete", None)
    await until(live, "voltgraph_subscriptions", 0)
