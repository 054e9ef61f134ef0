"""Automatic persisted queries, as Apollo's and urql's clients send them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import orjson
import pytest

from tests.api import Api, operation
from tests.schema.requests import GRAPHQL, refusals
from tests.schema.subscriptions import clients
from tests.sharing import in_process

VIEWER = "query Viewer { viewer { organizationId } }"
DATA = {"data": {"viewer": {"organizationId": "local"}}}
TYPES = [("application/json", 200), (GRAPHQL, 400)]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def named(text: str, **more: Any) -> dict[str, Any]:
    """Build a request that names a document by its hash only."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **more}


async def send(api: Api, body: dict[str, Any], accept: str = GRAPHQL) -> httpx.Response:
    return await api.http.post("/graphql", json=body, headers={"accept": accept})


@pytest.fixture
async def api(sqlite_url: str) -> AsyncIterator[Api]:
    async with in_process(sqlite_url) as api:
        yield api


@pytest.mark.parametrize(("accept", "status"), TYPES)
async def test_an_unknown_one_is_asked_for_in_the_words_that_clients_know(api: Api, accept: str, status: int) -> None:
    answer = await send(api, named(VIEWER), accept)
    assert answer.status_code == status
    code = {"code": "PERSISTED_QUERY_NOT_FOUND"}
    assert answer.json() == {"errors": [{"message": "PersistedQueryNotFound", "extensions": code}]}


async def test_once_sent_it_is_known_by_every_way(api: Api) -> None:
    assert (await send(api, named(VIEWER, query=VIEWER))).json() == DATA
    assert (await send(api, named(VIEWER))).json() == DATA
    for id in (digest(VIEWER), f"sha256:{digest(VIEWER)}"):
        assert (await send(api, {"documentId": id})).json() == DATA
        assert (await api.http.get("/graphql", params={"documentId": id})).json() == DATA
    extensions = orjson.dumps(named(VIEWER)["extensions"]).decode()
    assert (await api.http.get("/graphql", params={"extensions": extensions})).json() == DATA
    streamed = await send(api, named(VIEWER), "text/event-stream")
    assert b'"organizationId":"local"' in streamed.content


async def test_variables_and_names_of_operations_come_along(api: Api) -> None:
    text = "query A($id: ID!) { pipeline(id: $id) { id } } query B { viewer { email } }"
    id = (await api.create())["id"]
    await send(api, named(text, query=text, operationName="B"))
    answer = await send(api, named(text, operationName="A", variables={"id": id}))
    assert answer.json() == {"data": {"pipeline": {"id": id}}}


async def test_over_a_socket_too(sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live, clients.socket(live.url) as socket:
        await socket.send({"type": "subscribe", "id": "1", "payload": named(VIEWER)})
        message = await socket.receive()
        assert (message["type"], message["payload"][0]["message"]) == ("error", "PersistedQueryNotFound")
        await socket.send({"type": "subscribe", "id": "1", "payload": named(VIEWER, query=VIEWER)})
        assert await socket.next() == {"organizationId": "local"}
        assert (await socket.receive())["type"] == "complete"
        await socket.send({"type": "subscribe", "id": "1", "payload": named(VIEWER)})
        assert await socket.next() == {"organizationId": "local"}


async def test_nobody_puts_another_document_in_its_place(api: Api) -> None:
    other = "{ viewer { email } }"
    refusals(await send(api, named(VIEWER, query=other)), 400, "BAD_REQUEST")
    refusals(await send(api, named(VIEWER)), 400, "PERSISTED_QUERY_NOT_FOUND")
    await send(api, named(VIEWER, query=VIEWER))
    refusals(await send(api, named(VIEWER, query=other)), 400, "BAD_REQUEST")
    assert (await send(api, named(VIEWER))).json() == DATA


@pytest.mark.parametrize(
    ("text", "code"), [("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")]
)
async def test_what_cannot_be_run_is_not_kept(api: Api, text: str, code: str) -> None:
    refusals(await send(api, named(text, query=text)), 400, code)
    refusals(await send(api, named(text)), 400, "PERSISTED_QUERY_NOT_FOUND")


async def test_get_changes_nothing(api: Api) -> None:
    text = operation("CreatePipeline")
    variables = orjson.dumps({"input": {"projectId": "p", "elements": []}}).decode()
    await send(api, named(text, query=text))
    answer = await api.http.get("/graphql", params={"documentId": digest(text), "variables": variables})
    assert answer.status_code == 405


async def test_those_asked_for_longest_ago_are_forgotten(sqlite_url: str) -> None:
    texts = [f"query Q{number} {{ viewer {{ organizationId }} }}" for number in range(4)]
    async with in_process(sqlite_url, max_persisted_queries=3) as api:
        for text in texts[:3]:
            await send(api, named(text, query=text))
        await send(api, named(texts[0]))
        await send(api, named(texts[3], query=texts[3]))
        known = ["data" in (await send(api, named(text))).json() for text in texts]
        assert known == [True, False, True, True]


async def test_bytes_have_an_end_too(sqlite_url: str) -> None:
    small, large = "{ viewer { email } }", "{ viewer { email } } # " + "x" * 100
    async with in_process(sqlite_url, max_persisted_bytes=len(small) + 10) as api:
        await send(api, named(small, query=small))
        assert "data" in (await send(api, named(large, query=large))).json()
        refusals(await send(api, named(large)), 400, "PERSISTED_QUERY_NOT_FOUND")
        assert "data" in (await send(api, named(small))).json()
        other = small.replace("email", "userId")
        await send(api, named(other, query=other))
        refusals(await send(api, named(small)), 400, "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize(("accept", "status"), TYPES)
async def test_turned_off_it_says_that_it_is_not_supported(sqlite_url: str, accept: str, status: int) -> None:
    async with in_process(sqlite_url, max_persisted_queries=0) as api:
        assert (await send(api, named(VIEWER, query=VIEWER), accept)).json() == DATA
        answer = await send(api, named(VIEWER), accept)
        assert answer.status_code == status
        [error] = answer.json()["errors"]
        assert error["message"] == "PersistedQueryNotSupported"
        assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "short"}}},
        {"documentId": 7},
        {"documentId": "0" * 64, "query": 7},
        {"extensions": {}},
    ],
)
async def test_what_names_nothing_is_a_bad_request(api: Api, body: dict[str, Any]) -> None:
    refusals(await send(api, body), 400, "BAD_REQUEST")
