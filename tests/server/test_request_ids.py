"""Request ids: taken from the request, or created if requests are logged."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator

import httpx
import pytest

import app.database.sqlite.reader
import app.pipelines.repository
from app.server.observability import request_log
from app.server.observability.request_log import request_id
from tests.api import Api
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live
from tests.sharing import in_process

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
QUERY = {"query": '{ pipeline(id: "x") { id } }'}
WAYS = pytest.mark.parametrize("by", ["graphql", "stream", "rest", "nowhere", "page"])


async def ask(api: Api, by: str, **headers: str) -> httpx.Response:
    if by == "stream":
        headers["accept"] = "text/event-stream"
    if by == "page":
        return await api.http.get("/graphql", headers={"accept": "text/html", **headers})
    if by in ("graphql", "stream"):
        return await api.http.post("/graphql", json=QUERY, headers=headers)
    return await api.http.get({"rest": "/pipelines", "nowhere": "/nowhere"}[by], headers=headers)


@pytest.fixture
async def text(sqlite_url: str) -> AsyncIterator[Api]:
    async with in_process(sqlite_url) as api:
        yield api


@pytest.fixture
async def json(sqlite_url: str) -> AsyncIterator[Api]:
    async with in_process(sqlite_url, log_format="json") as api:
        yield api


@WAYS
async def test_one_that_is_given_comes_back(text: Api, by: str) -> None:
    answer = await ask(text, by, **{"x-request-id": "abc-1.2:3/4+5=@_"})
    assert answer.headers.get_list("x-request-id") == ["abc-1.2:3/4+5=@_"]


@WAYS
async def test_none_is_made_where_requests_are_not_logged(text: Api, by: str) -> None:
    assert "x-request-id" not in (await ask(text, by)).headers


@WAYS
async def test_each_has_one_of_its_own_where_they_are(json: Api, by: str) -> None:
    made = [(await ask(json, by)).headers["x-request-id"] for _ in range(2)]
    assert all(map(UUID.fullmatch, made))
    assert made[0] != made[1]
    assert request_id() is None


@pytest.mark.parametrize("given", [b"a b", b"a\nb", b"\x1b[31m", b"\xc3\xa9", b"", b"a" * 129, b'a"b'])
async def test_what_can_be_none_is_not_taken_over(text: Api, given: bytes) -> None:
    answer = await text.http.post("/graphql", json=QUERY, headers=[(b"x-request-id", given)])
    assert UUID.fullmatch(answer.headers["x-request-id"])


async def test_a_fault_tells_it_and_so_does_the_log(
    text: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    seen = []

    def see(record: logging.LogRecord) -> bool:
        seen.append((record.name, request_id()))
        return True

    monkeypatch.setattr(caplog.handler, "filters", [see])
    monkeypatch.setattr(app.pipelines.repository, "pipeline", fail)
    monkeypatch.setattr(app.database.sqlite.reader.SqliteReader, "_run_here", fail)
    answer = await ask(text, "graphql", **{"x-request-id": "mine"})
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "mine"}
    assert ("voltgraph", "mine") in seen
    assert {id for _, id in seen} == {"mine"}


async def test_a_socket_has_one_too(sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live:
        headers = {"x-request-id": "socket-1"}
        async with clients.socket(live.url, additional_headers=headers) as socket:
            response = socket.connection.response
            assert response is not None
            assert response.headers["x-request-id"] == "socket-1"
            await socket.subscribe("{ viewer { organizationId } }")
            assert await socket.next()


@pytest.fixture
async def live(sqlite_url: str) -> AsyncIterator[Live]:
    async with clients.live(sqlite_url, log_format="json") as running:
        yield running


async def test_each_request_is_a_line_that_tells_no_secrets(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, request_log.log.name)
    query = "query Mine($id: ID!) { pipeline(id: $id) { id } }"
    await live.http.post("/graphql", json={"query": query, "variables": {"id": "hidden"}}, headers={"x-api-key": "k"})
    await live.http.post("/graphql?hidden=1", json={"query": "{ hidden }"})
    await live.http.get("/pipelines/none?hidden=1")
    async with clients.socket(live.url) as socket:
        await socket.settle()
    async with clients.stream(live.http, clients.FOLLOW) as events:
        await anext(events.lines)
    await live.http.get("/livez")
    lines = [record.__dict__["fields"] for record in caplog.records if record.name == request_log.log.name]
    told = [(each["method"], each["operation"], each["status"], each["code"]) for each in lines]
    assert told[:3] == [
        ("POST", "Mine", 200, "OK"),
        ("POST", None, 200, "GRAPHQL_VALIDATION_FAILED"),
        ("GET", "/pipelines/{pipeline_id}", 404, None),
    ]
    assert {("WEBSOCKET", 101), ("POST", 200), ("GET", 200)} <= {(each["method"], each["status"]) for each in lines[3:]}
    assert all(each["ms"] > 0 and each["bytes"] >= 0 for each in lines)
    assert "hidden" not in str(lines)
