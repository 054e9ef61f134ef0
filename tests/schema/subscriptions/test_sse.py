"""Server-sent events."""

from __future__ import annotations

import asyncio
import gc

import httpx
import orjson
import pytest

from app.models.enums import PipelineStatus
from schema.transport import sse
from schema.transport.negotiation import wants_events
from tests.api import operation
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, PATIENCE, WATCH, Live, stream

VIEWER = "{ viewer { organizationId } }"
EVENTS = {"accept": "text/event-stream"}


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; q=0.9", True),
        ("text/event-stream, multipart/mixed", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json, text/event-stream", False),
        ("text/event-stream, application/graphql-response+json;q=0.1", False),
        ("text/event-stream, application/json;q=0", True),
        ("text/event-stream;q=0", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
def test_are_sent_only_to_who_takes_no_json(accept: str, events: bool) -> None:
    assert wants_events(accept.encode()) is events


async def test_are_framed_as_the_protocol_says(live: Live) -> None:
    answer = await live.http.post("/graphql", json={"query": VIEWER}, headers=EVENTS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["vary"] == "accept"
    result = b'{"data":{"viewer":{"organizationId":"local"}}}'
    assert answer.content == b"event: next\ndata: " + result + b"\n\nevent: complete\ndata:\n\n"


async def test_come_as_things_happen_until_the_end(each_live: Live) -> None:
    id = (await each_live.api.create())["id"]
    async with stream(each_live.http, WATCH, id=id) as events:
        assert (await events.data())["status"] == "PENDING"
        await each_live.move(id, PipelineStatus.RUNNING)
        assert (await events.data())["status"] == "RUNNING"
        await each_live.move(id, PipelineStatus.COMPLETED)
        assert (await events.data())["status"] == "COMPLETED"
        assert await events.next() == ("complete", None)
        with pytest.raises(StopAsyncIteration):
            await anext(events.lines)


async def test_a_follower_hears_what_happens_after_the_first_comment(live: Live) -> None:
    async with stream(live.http, FOLLOW) as events:
        assert await anext(events.lines) == ":"
        id = (await live.api.create())["id"]
        assert (await events.data())["pipelineId"] == id


async def test_are_sent_by_get_too(live: Live) -> None:
    id = (await live.api.create())["id"]
    parameters = {"query": WATCH, "variables": orjson.dumps({"id": id}).decode()}
    async with live.http.stream("GET", "/graphql", params=parameters, headers=EVENTS) as response:
        assert (await clients.Events(response, response.aiter_lines()).data())["id"] == id
    answer = await live.http.get("/graphql", params={"query": VIEWER}, headers=EVENTS)
    assert b"organizationId" in answer.content


async def test_a_mutation_needs_post(live: Live) -> None:
    variables = {"input": {"projectId": "p", "elements": []}}
    query = operation("CreatePipeline")
    answer = await live.http.post("/graphql", json={"query": query, "variables": variables}, headers=EVENTS)
    assert answer.content.endswith(b"event: complete\ndata:\n\n")
    parameters = {"query": query, "variables": orjson.dumps(variables).decode()}
    refused = await live.http.get("/graphql", params=parameters, headers=EVENTS)
    assert refused.status_code == 405
    assert refused.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { email } } query B { viewer { email } }", "OPERATION_RESOLUTION_FAILURE"),
        (WATCH, "BAD_USER_INPUT"),
    ],
)
async def test_a_wrong_operation_is_told_as_an_event(live: Live, query: str, code: str) -> None:
    async with stream(live.http, query) as events:
        kind, result = await events.next()
        assert (kind, "data" in result) == ("next", False)
        assert result["errors"][0]["extensions"]["code"] == code
        assert await events.next() == ("complete", None)


async def test_a_wrong_body_is_refused_with_a_status(live: Live) -> None:
    answer = await live.http.post("/graphql", content=b"[]", headers={**EVENTS, "content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json, text/event-stream", "*/*"])
async def test_a_subscription_is_not_answered_in_json(live: Live, accept: str) -> None:
    answer = await live.http.post("/graphql", json={"query": FOLLOW}, headers={"accept": accept})
    assert answer.status_code == 406
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["NOT_ACCEPTABLE"]
    assert "data" not in answer.json()


async def test_stored_json_of_several_lines_stays_in_one_event(live: Live) -> None:
    elements = '{"e": {"element_type": "entry",\r\n "values": {\n\n"a": 1}}}'
    answer = await live.http.post(
        "/pipelines",
        content=f'{{"project_id": "p", "elements": {elements}}}',
        headers={"content-type": "application/json"},
    )
    assert answer.is_success, answer.text
    query = "query ($id: ID!) { pipeline(id: $id) { elements { jobConfig } } }"
    async with stream(live.http, query, id=answer.json()["id"]) as events:
        assert (await events.data())["elements"][0]["jobConfig"]["values"] == {"a": 1}


async def test_a_comment_keeps_a_silent_stream_alive(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    async with stream(live.http, FOLLOW) as events, asyncio.timeout(PATIENCE):
        assert [await anext(events.lines) for _ in range(6)] == [":", ""] * 3


async def test_a_silent_stream_takes_no_more_memory_with_time(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.001)
    async with asyncio.timeout(PATIENCE), stream(live.http, FOLLOW) as events:

        async def comments(count: int) -> int:
            """Receive comments; return the number of objects of this process that are in use."""
            while count:
                count -= (await anext(events.lines)).startswith(":")
            gc.collect()
            return len(gc.get_objects())

        before = await comments(50)
        assert await comments(300) - before < 150


async def test_a_client_that_goes_leaves_nothing_behind(live: Live) -> None:
    async with stream(live.http, FOLLOW) as events:
        await anext(events.lines)
        await asyncio.sleep(0.05)
        assert live.database.broker._subscribers
    await asyncio.sleep(0.2)
    assert not live.database.broker._subscribers
    assert not live.server.server_state.tasks


async def test_end_without_complete_when_the_server_ends(sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live, stream(live.http, FOLLOW) as events, asyncio.timeout(PATIENCE):
        await anext(events.lines)
        live.server.should_exit = True
        rest = [line async for line in events.lines]
        assert not any("complete" in line for line in rest)


async def test_a_browser_still_gets_the_page(live: Live) -> None:
    page = await live.http.get("/graphql", headers={"accept": "text/html, */*"})
    assert "text/html" in page.headers["content-type"]
    assert isinstance(page, httpx.Response)
