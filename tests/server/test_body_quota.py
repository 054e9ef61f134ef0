"""Body quota: bodies are read after authentication, and all of them together stay within the quota."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from starlette.types import Message

from app.errors import RequestError, RequestErrorCode
from app.server.bodies import reading
from app.server.bodies.quota import BodyQuota, Holding
from app.settings import Settings
from tests.api import Api
from tests.auth.conftest import Locked, locked  # noqa: F401  fixture of a server with keys
from tests.rest.requests import JSON, pipeline
from tests.schema.subscriptions import clients
from tests.sharing import in_process

SETTINGS = Settings(max_body_bytes=2**20, max_unpacked_bytes=2**22)
MOST = 2**20 + 2**22
"""Minimum quota with these settings."""
KEYLESS = {b"host": b"server.example", b"content-type": b"application/json", b"content-encoding": b"gzip"}


@pytest.fixture
async def small(sqlite_url: str) -> AsyncIterator[Api]:
    given = {"max_body_bytes": 2**20, "max_unpacked_bytes": 2**22, "max_held_bytes": MOST}
    async with in_process(sqlite_url, **given, request_timeout=1.0) as api:
        yield api


def quota(api: Api) -> BodyQuota:
    found: BodyQuota = api.http._transport.app.state.services.bodies  # type: ignore[attr-defined]
    return found


def test_a_quota_is_never_exceeded_and_comes_back_whole() -> None:
    shared = BodyQuota(10)
    with shared.hold() as one, shared.hold() as other:
        one.add(6)
        with pytest.raises(RequestError) as refused:
            other.add(5)
        assert (refused.value.code, refused.value.headers) == (RequestErrorCode.BUSY, {"retry-after": "1"})
        other.add(4)
        assert shared.held == 10
        other.release()
        one.add(4)
        kept = one.hand_over()
    assert shared.held == 10
    kept.close()
    assert shared.held == 0


def test_what_a_thread_adds_after_the_end_is_not_held() -> None:
    shared = BodyQuota(10)
    with shared.hold() as over:
        over.add(1)
    over.add(5)
    assert shared.held == 0


async def read(body: bytes, encoding: bytes, held: Holding, size: int = 1000) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]

    async def receive() -> Message:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    return bytes(await reading.read_body({b"content-encoding": encoding}, receive, SETTINGS, held))


@pytest.mark.parametrize("size", [0, 1, 257, reading.PIECE, 3 * reading.PIECE + 1, 2**20 - 100_000])
@pytest.mark.parametrize("repeated", [1, 4])
async def test_what_is_unpacked_in_steps_is_what_was_packed(size: int, repeated: int) -> None:
    text = random.Random(size).randbytes(size // repeated) * repeated
    shared = BodyQuota(MOST)
    for encoding, packed in ((b"gzip", gzip.compress(text)), (b"deflate", zlib.compress(text))):
        with shared.hold() as held:
            assert await read(packed, encoding, held) == text
            assert shared.held == len(packed) + len(text)
            for broken in (packed[:-1], packed + b"x", packed + b"x" * reading.PIECE, b"x" + packed):
                with pytest.raises(RequestError) as refused:
                    await read(broken, encoding, held)
                assert refused.value.code is RequestErrorCode.BAD_REQUEST
                held.release()
    assert shared.held == 0


async def test_a_bomb_is_unpacked_no_further_than_there_is_room() -> None:
    bomb, shared = gzip.compress(bytes(2**22)), BodyQuota(2**21)
    with shared.hold() as held:
        with pytest.raises(RequestError) as refused:
            await read(bomb, b"gzip", held)
        assert refused.value.code is RequestErrorCode.BUSY
        assert shared.held <= 2**21
    assert shared.held == 0
    with BodyQuota(2**30).hold() as held:
        with pytest.raises(RequestError) as refused:
            await read(gzip.compress(bytes(2**23)), b"gzip", held)
        assert refused.value.code is RequestErrorCode.PAYLOAD_TOO_LARGE


async def answered(app: Any, method: str, path: str, headers: dict[bytes, bytes], receive: Any) -> list[Message]:
    sent: list[Message] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers.items()),
        "client": None,
        "server": None,
    }

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def unread() -> Message:
    raise AssertionError("a body is read before it is known who sends it")


async def test_nothing_is_read_of_who_has_no_key(locked: Locked) -> None:  # noqa: F811
    routes = [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in locked.app.openapi()["paths"].items()
        for method in methods
    ]
    signed = [each for each in routes if each[1].startswith(("/uploads/", "/downloads/"))]  # the address is the right
    routes = [each for each in routes if each not in signed]
    assert (len(routes) > 15, len(signed) >= 2) == (True, True)
    for method, path in signed:
        given = {**KEYLESS, b"content-type": b"application/octet-stream"}
        begin = (await answered(locked.app, method, path, given, unread))[0]
        assert begin["status"] in (404, 415), (method, path)
    for accept in (b"application/json", b"text/event-stream"):
        for method, path in [*routes, ("POST", "/graphql"), ("GET", "/graphql")]:
            given = {**KEYLESS, b"accept": accept}
            begin = (await answered(locked.app, method, path, given, unread))[0]
            assert begin["status"] == 401, (method, path)
    assert locked.app.state.services.bodies.held == 0


async def test_who_finds_no_room_is_told_to_come_again(small: Api) -> None:
    shared = quota(small)
    with shared.hold() as others:
        others.add(MOST - 10)
        for path, body in (("/pipelines", pipeline()), ("/graphql", {"query": "{ viewer { email } }"})):
            for headers in ({}, {"accept": "text/event-stream"}):
                answer = await small.http.post(path, json=body, headers=headers)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert "BUSY" in answer.text
        assert shared.held == MOST - 10
        assert (await small.http.get("/pipelines")).status_code == 200
    for path, body in (("/pipelines", pipeline()), ("/graphql", {"query": "{ viewer { email } }"})):
        assert (await small.http.post(path, json=body)).status_code in (200, 201)
    assert shared.held == 0


@pytest.mark.parametrize("path", ["/pipelines", "/graphql"])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, None),
        (b"x" * 100, {"content-type": "text/plain"}, 415),
        (b"x" * (2**20 + 1), JSON, 413),
        (gzip.compress(bytes(2**22 + 1)), {**JSON, "content-encoding": "gzip"}, 413),
        (gzip.compress(b"{}")[:-1], {**JSON, "content-encoding": "gzip"}, 400),
        (orjson.dumps("x" * 2**19), JSON, None),
        (gzip.compress(orjson.dumps("x" * 2**21)), {**JSON, "content-encoding": "gzip"}, None),
    ],
    ids=["json", "type", "long", "bomb", "cut", "plain", "packed"],
)
async def test_all_is_given_back_however_it_ends(
    small: Api, path: str, body: bytes, headers: dict[str, str], status: int | None
) -> None:
    answer = await small.http.post(path, content=body, headers=headers)
    assert answer.status_code == (status or answer.status_code)
    assert answer.status_code in (400, 413, 415, 422)
    assert quota(small).held == 0


@pytest.mark.parametrize("path", ["/pipelines", "/graphql"])
async def test_who_goes_or_is_slow_or_is_cut_off_holds_nothing(small: Api, path: str) -> None:
    shared, app = quota(small), small.http._transport.app  # type: ignore[attr-defined]
    headers = {b"host": b"localhost", b"content-type": b"application/json", b"content-length": b"1000"}

    def receiving(*parts: Message) -> Any:
        left = list(parts)

        async def receive() -> Message:
            if not left:
                assert shared.held == 100
                await asyncio.sleep(600)
            return left.pop(0)

        return receive

    part: Message = {"type": "http.request", "body": b" " * 100, "more_body": True}
    gone = await answered(app, "POST", path, headers, receiving(part, {"type": "http.disconnect"}))
    slow = await answered(app, "POST", path, headers, receiving(part))
    assert [sent[0]["status"] for sent in (gone, slow)] == [400, 408]
    cut_off = asyncio.ensure_future(answered(app, "POST", path, headers, receiving(part)))
    while not shared.held:  # noqa: ASYNC110  the server has no event for its tests
        await asyncio.sleep(0.01)
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    assert shared.held == 0


async def test_what_a_socket_sends_counts_while_it_is_worked_on(sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live, clients.socket(live.url) as socket:
        shared: BodyQuota = live.server._app.state.services.bodies
        await socket.subscribe(clients.FOLLOW)
        await socket.subscribe("{ viewer { organizationId } }", "2", text="x" * 100_000)
        assert await socket.next("2")
        assert (await socket.receive())["type"] == "complete"
        await socket.settle()
        assert shared.held == 0
        with shared.hold() as others:
            others.add(256 * 2**20 - 10)
            await socket.send({"type": "ping"})
            code, reason = await socket.closed()
        assert (code, "Try again" in (reason or "")) == (1013, True)
        assert shared.held == 0


@pytest.mark.parametrize("most", [1, 16 * 2**20 + 64 * 2**20 - 1])
def test_a_quota_has_room_for_one_request(most: int) -> None:
    with pytest.raises(ValueError, match="One request may need"):
        Settings(max_held_bytes=most)
