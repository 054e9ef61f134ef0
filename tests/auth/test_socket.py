"""Keys over WebSockets, where browsers cannot set headers, and over event streams."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import orjson
import pytest

from app.auth.keys import PREFIX_LENGTH, KeyRing, KeyStore, open_keys
from app.database.connect import database_url as parsed
from app.errors import Busy
from app.models.enums import PipelineStatus
from tests.api import Api
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import WATCH, Live


@pytest.fixture
async def each_store(database_url: str) -> AsyncIterator[KeyStore]:
    """Key store of a server, over each kind of database in turn, as another process uses it."""
    async with open_keys(parsed(database_url)) as opened:
        yield opened


@pytest.fixture
async def locked_live(each_store: KeyStore, database_url: str) -> AsyncIterator[Live]:
    await each_store.create("nobody")  # before the server starts, because it caches that no keys exist
    async with clients.live(database_url) as running:
        yield running


@pytest.fixture
async def live(store: KeyStore, sqlite_url: str) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url) as running:
        yield running


@pytest.mark.parametrize("payload", [None, {}, {"x-api-key": "wrong"}, {"X-API-Key": 7}])
async def test_a_socket_without_a_key_is_closed(store: KeyStore, live: Live, payload: object) -> None:
    await store.create("ours")
    async with clients.socket(live.url, ready=False) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert (await socket.closed())[0] == 4403


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "Authorization"])
async def test_the_key_comes_with_the_first_message(store: KeyStore, live: Live, name: str) -> None:
    secret = await store.create("ours")
    async with clients.socket(live.url, ready=False) as socket:
        value = f"Bearer {secret}" if name == "Authorization" else secret
        await socket.send({"type": "connection_init", "payload": {name: value}})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe("{ viewer { organizationId } }")
        assert await socket.next() == {"organizationId": "ours"}


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "Authorization"])
async def test_the_key_may_stand_in_headers_of_the_first_message(store: KeyStore, live: Live, name: str) -> None:
    secret = await store.create("ours")
    headers = {name: f"Bearer {secret}" if name == "Authorization" else secret}
    async with clients.socket(live.url, ready=False) as socket:
        await socket.send({"type": "connection_init", "payload": {"headers": headers}})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe("{ viewer { organizationId } }")
        assert await socket.next() == {"organizationId": "ours"}


@pytest.mark.parametrize("headers", [None, [], "x", {}, {"x-api-key": 7}, {"x-api-key": "wrong"}])
async def test_headers_without_a_key_are_none(store: KeyStore, live: Live, headers: object) -> None:
    await store.create("ours")
    async with clients.socket(live.url, ready=False) as socket:
        await socket.send({"type": "connection_init", "payload": {"headers": headers}})
        assert (await socket.closed())[0] == 4403


async def test_a_key_in_the_headers_of_the_socket_will_do(store: KeyStore, live: Live) -> None:
    headers = {"x-api-key": await store.create("ours")}
    async with clients.socket(live.url, additional_headers=headers) as socket:
        await socket.subscribe("{ viewer { organizationId } }")
        assert await socket.next() == {"organizationId": "ours"}


async def test_a_subscription_ends_when_its_key_is_revoked(store: KeyStore, live: Live) -> None:
    headers = {"x-api-key": await store.create("ours")}
    live.http.headers.update(headers)
    id = (await Api(live.http).create())["id"]
    async with (
        clients.socket(live.url, additional_headers=headers) as socket,
        clients.stream(live.http, WATCH, id=id) as events,
    ):
        await socket.subscribe(WATCH, id=id)
        assert (await socket.next())["id"] == id
        assert (await events.data())["id"] == id
        await store.revoke((await store.all())[0].prefix)
        await live.move(id, PipelineStatus.RUNNING)
        message = await socket.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "UNAUTHENTICATED" in str(await events.next())


IDLE = 2.0
"""Seconds within which a revoked key's connections end, as docs/operating.md states."""
SLACK = 8.0
"""Additional seconds for a shared machine."""


async def test_what_is_idle_ends_when_its_key_is_revoked(locked_live: Live, each_store: KeyStore) -> None:
    revoked, other = await each_store.create("ours"), await each_store.create("ours")
    headers = {"x-api-key": revoked}
    locked_live.http.headers.update(headers)
    id = (await Api(locked_live.http).create())["id"]
    async with (
        clients.socket(locked_live.url, additional_headers=headers) as socket,
        clients.socket(locked_live.url, additional_headers=headers) as silent,
        clients.socket(locked_live.url, additional_headers={"x-api-key": other}) as others,
        clients.stream(locked_live.http, clients.FOLLOW) as events,
    ):
        await socket.subscribe(clients.FOLLOW, key="all")
        await socket.subscribe(WATCH, key="one", id=id)
        assert (await socket.next("one"))["id"] == id
        await others.subscribe(WATCH, id=id)
        assert (await others.next())["id"] == id
        assert await anext(events.lines) == ":"
        begun = monotonic()
        await each_store.revoke(revoked[:PREFIX_LENGTH])
        async with asyncio.timeout(IDLE + SLACK):
            ended = [orjson.loads(await socket.connection.recv()) for _ in range(2)]
            assert {message["id"] for message in ended} == {"all", "one"}
            for message in ended:
                assert message["type"] == "error"
                assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert "UNAUTHENTICATED" in str(await events.next())
            assert await events.next() == ("complete", None)
            for each in (socket, silent):
                assert await each.closed() == (4403, "The API key is no longer valid.")
        assert monotonic() - begun < IDLE + SLACK
        await others.settle()


async def test_an_open_server_closes_to_strangers_when_the_first_key_is_made(store: KeyStore, live: Live) -> None:
    id = (await live.api.create())["id"]
    async with clients.socket(live.url) as socket:
        await socket.subscribe(WATCH, id=id)
        assert (await socket.next())["id"] == id
        await store.create("ours")
        await live.move(id, PipelineStatus.RUNNING)
        assert (await socket.receive())["type"] == "error"
        assert (await live.http.get("/pipelines")).status_code == 401


async def test_of_another_organization_nothing_is_heard(store: KeyStore, live: Live) -> None:
    theirs, ours = await store.create("theirs"), await store.create("ours")
    live.http.headers["x-api-key"] = theirs
    id = (await Api(live.http).create())["id"]
    async with clients.socket(live.url, additional_headers={"x-api-key": ours}) as socket:
        await socket.subscribe(clients.FOLLOW, key="all")
        await socket.subscribe(WATCH, key="one", id=id)
        message = await socket.receive()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")
        await live.move(id, PipelineStatus.RUNNING)
        await socket.settle()  # receives pongs only


def break_keys(patched: pytest.MonkeyPatch) -> None:
    """Make the question whether requests need a key fail, and always be asked."""

    async def wanted(_: KeyRing) -> bool:
        raise Busy("API keys cannot be looked up now. Try again.")

    patched.setattr(KeyRing, "wanted", wanted)
    patched.setattr(KeyRing, "unwanted_until", property(lambda _: 0.0, lambda *_: None), raising=False)


async def test_who_comes_while_keys_cannot_be_read_is_told_to_come_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with clients.live(sqlite_url) as server:
        with monkeypatch.context() as patched:
            break_keys(patched)
            async with clients.socket(server.url, ready=False) as socket:
                await socket.send({"type": "connection_init"})
                assert await socket.closed() == (1013, "API keys cannot be looked up now. Try again.")
        async with clients.socket(server.url):
            pass
    assert "internal error" not in caplog.text


async def test_an_operation_fails_alone_while_keys_cannot_be_read(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with clients.live(sqlite_url) as server, clients.socket(server.url) as socket:
        with monkeypatch.context() as patched:
            break_keys(patched)
            await socket.subscribe("{ __typename }", key="early")
            message = await socket.receive()
            assert (message["type"], message["id"]) == ("error", "early")
            assert message["payload"][0]["extensions"]["code"] == "BUSY"
        await socket.subscribe("{ __typename }", key="late")
        assert await socket.next("late") == "Query"
    assert "internal error" not in caplog.text
