"""Content negotiation: media type and status of the response follow from the Accept header."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, JSON, post, refusals

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
QUERY = {"query": "{ __typename }"}
AS_JSON, AS_GRAPHQL = "application/json", f"{GRAPHQL}; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", AS_JSON),
        ("*/*", AS_JSON),
        ("application/*", AS_JSON),
        ("application/json", AS_JSON),
        ("application/json; charset=utf-8", AS_JSON),
        ("APPLICATION/JSON", AS_JSON),
        ("text/html, */*", AS_JSON),
        ("text/event-stream, application/json", AS_JSON),
        ("application/json, multipart/mixed", AS_JSON),
        (GRAPHQL, AS_GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", AS_GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", AS_GRAPHQL),
        (f"application/json;q=0.9, {GRAPHQL}", AS_GRAPHQL),
        (f"application/json, {GRAPHQL};q=0.5", AS_JSON),
        (f"application/json, {GRAPHQL}", AS_JSON),
        (f"{GRAPHQL};q=0, application/json", AS_JSON),
        (f"{GRAPHQL};q=much, application/json;q=0.1", AS_JSON),
        ("application/json;q=0.001", AS_JSON),
    ],
)
async def test_the_best_of_what_is_accepted_is_sent(shared: Api, accept: str, kind: str) -> None:
    answer = await post(shared, QUERY, accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert "accept" in answer.headers["vary"].lower()


async def test_urql_gets_json_and_no_stream(shared: Api) -> None:
    answer = await post(shared, QUERY, accept=URQL)
    assert (answer.status_code, answer.headers["content-type"]) == (200, AS_GRAPHQL)
    assert answer.content == b'{"data":{"__typename":"Query"}}'


@pytest.mark.parametrize(
    "accept",
    ["text/plain", "text/html", "image/*", "application/xml", "application/json;q=0", "nonsense", ";;,,", "a/b"],
)
async def test_what_cannot_be_sent_is_not_acceptable(shared: Api, accept: str) -> None:
    answer = await post(shared, QUERY, accept=accept)
    assert answer.headers["content-type"] == AS_JSON
    [error] = refusals(answer, 406, "NOT_ACCEPTABLE")
    assert "application/json" in error["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query ($id: ID!) { pipeline(id: $id) { id } }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_that_fails_before_it_runs_is_400_unless_plain_json_is_wanted(
    shared: Api, query: str, code: str
) -> None:
    refusals(await post(shared, {"query": query}, accept=GRAPHQL), 400, code)
    refusals(await post(shared, {"query": query}, accept="application/json"), 200, code)


@pytest.mark.parametrize("accept", [GRAPHQL, "application/json"])
async def test_a_field_that_fails_is_200_beside_the_data(shared: Api, accept: str) -> None:
    answer = await post(shared, {"query": "{ a: __typename pipelines(first: 0) { totalCount } }"}, accept=accept)
    assert answer.status_code == 200
    [error] = answer.json()["errors"]
    assert (error["path"], error["extensions"]) == (["pipelines"], {"code": "BAD_USER_INPUT"})
    assert answer.json()["data"] is None


@pytest.mark.parametrize(
    "accept",
    ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html, application/json"],
)
async def test_a_browser_that_comes_by_gets_a_page(shared: Api, accept: str) -> None:
    answer = await shared.http.get("/graphql", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_browser_that_asks_gets_an_answer(shared: Api) -> None:
    answer = await shared.http.get("/graphql", params=QUERY, headers={"accept": "text/html, */*;q=0.8"})
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/jsonp",
        "\xff",
    ],
)
async def test_a_body_of_another_kind_is_unsupported(shared: Api, kind: str) -> None:
    answer = await shared.http.post("/graphql", json=QUERY, headers={b"content-type": kind.encode("latin-1")})
    refusals(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "kind", ["application/json;charset=utf-8", 'Application/JSON; charset="UTF-8"', JSON["content-type"]]
)
async def test_json_in_utf_8_is_taken(shared: Api, kind: str) -> None:
    answer = await shared.http.post("/graphql", json=QUERY, headers={"content-type": kind})
    assert answer.json() == {"data": {"__typename": "Query"}}
