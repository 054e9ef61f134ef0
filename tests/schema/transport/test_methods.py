"""HTTP methods: GET for queries, POST for all operations, no others."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, refusals, stored, written

TYPE = {"data": {"__typename": "Query"}}


async def test_get_runs_a_query_with_variables_and_a_name(shared: Api) -> None:
    created = await shared.create(name="seen by GET")
    query = "query other { viewer { email } } query named($id: ID!) { pipeline(id: $id) { name } }"
    variables = f'{{"id": "{created["id"]}"}}'
    parameters = {"query": query, "variables": variables, "operationName": "named", "extensions": "{}"}
    answer = await shared.http.get("/graphql", params=parameters, headers={"accept": GRAPHQL})
    assert (answer.status_code, answer.json()) == (200, {"data": {"pipeline": {"name": "seen by GET"}}})


@pytest.mark.parametrize("rest", ["", "&variables=", "&variables=null", "&variables=%7B%7D", "&operationName=", "&a=b"])
async def test_empty_parameters_are_none(shared: Api, rest: str) -> None:
    assert (await shared.http.get(f"/graphql?query=%7B__typename%7D{rest}")).json() == TYPE


@pytest.mark.parametrize("name", ["", "&operationName=change"])
async def test_get_changes_nothing(shared: Api, name: str) -> None:
    before = await stored(shared)
    document = written("{}").replace("mutation", "mutation change")
    answer = await shared.http.get(f"/graphql?query={quote(document)}{name}", headers={"accept": GRAPHQL})
    [error] = refusals(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in error["message"]
    assert answer.headers["allow"] == "GET, POST"
    assert await stored(shared) == before


async def test_get_of_a_document_with_both_runs_the_query_that_is_named(shared: Api) -> None:
    document = "query read { __typename } " + written("{}").replace("mutation", "mutation change")
    answer = await shared.http.get("/graphql", params={"query": document, "operationName": "read"})
    assert answer.json() == TYPE


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "query=",
        "q=%7B__typename%7D",
        "query=%7B__typename%7D&query=%7B__typename%7D",
        "query=%ff",
        "query=%ed%a0%80",
        "query=%7B__typename%7D&variables=%7B",
        "query=%7B__typename%7D&variables=%5B%5D",
        "query=%7B__typename%7D&variables=1",
        'query=%7B__typename%7D&variables={"a":1,"a":2}',
        'query=%7B__typename%7D&variables={"a":"%5Cu0000"}',
        "query=%7B__typename%7D&variables=" + "%5B" * 3000,
        "query=%7B__typename%7D&variables=" + "9" * 5000,
        "query=%7B__typename%7D&extensions=true",
        "a&" * 100,
    ],
    ids=lambda parameters: parameters[:60],
)
async def test_wrong_parameters_are_a_bad_request(shared: Api, parameters: str) -> None:
    refusals(await shared.http.get(f"/graphql?{parameters}"), 400, "BAD_REQUEST")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_not_allowed(shared: Api, method: str) -> None:
    answer = await shared.http.request(method, "/graphql?query=%7B__typename%7D")
    refusals(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, POST"


async def test_head_is_not_allowed(shared: Api) -> None:
    answer = await shared.http.head("/graphql?query=%7B__typename%7D", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
