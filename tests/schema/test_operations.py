"""Selection of an operation in a document by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, creating, post, refusals, stored, written

SEVERAL = "query a { a: __typename } query b { b: __typename }"


@pytest.fixture(scope="module", params=[True, False], ids=["plans", "executor"])
def plans(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


@pytest.mark.parametrize("name", ["a", "b"])
async def test_the_named_one_of_several_runs(shared: Api, name: str) -> None:
    answer = await post(shared, {"query": SEVERAL, "operationName": name})
    assert answer.json() == {"data": {name: "Query"}}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (SEVERAL, None),
        (SEVERAL, "c"),
        (SEVERAL, ""),
        (SEVERAL, "a "),
        ("{ __typename }", "a"),
        ("query a { __typename }", "A"),
        ("query a { __typename }", "x" * 100_000),
    ],
)
async def test_a_name_that_means_none_or_several_is_refused(shared: Api, query: str, name: str | None) -> None:
    answer = await post(shared, {"query": query, "operationName": name})
    [error] = refusals(answer, 400, "OPERATION_RESOLUTION_FAILURE")
    assert len(error["message"]) < 200


async def test_neither_of_two_mutations_runs_without_a_name(shared: Api) -> None:
    document = written("{}").replace("mutation", "mutation a") + written("{}").replace("mutation", "mutation b")
    refusals(await post(shared, {"query": document}), 400, "OPERATION_RESOLUTION_FAILURE")
    assert await stored(shared) == 0


@pytest.mark.parametrize("query", ["fragment f on Query { __typename }", "type A { a: Int }"])
async def test_a_document_without_operations_is_refused(shared: Api, query: str) -> None:
    answer = await post(shared, {"query": query}, accept=GRAPHQL)
    assert answer.status_code == 400
    assert not answer.json().get("data")
    assert all(error["extensions"]["code"] for error in answer.json()["errors"])


@pytest.mark.parametrize("query", ["", " ", "# nothing", "\ufeff", "{ a", "query", "{ __typename } }", "\x07"])
async def test_what_is_no_document_is_not_parsed(shared: Api, query: str) -> None:
    [error] = refusals(await post(shared, {"query": query}, accept=GRAPHQL), 400, "GRAPHQL_PARSE_FAILED")
    assert error["locations"][0].keys() == {"line", "column"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": None},
        {"query": 1},
        {"query": ["{ __typename }"]},
        {"query": {}},
        {"operationName": 1},
        {"operationName": ["CreatePipeline"]},
        {"variables": []},
        {"variables": "{}"},
        {"variables": 0},
        {"variables": False},
        {"extensions": []},
        {"extensions": "x"},
    ],
    ids=str,
)
async def test_a_part_of_a_wrong_kind_is_a_bad_request(shared: Api, wrong: dict[str, Any]) -> None:
    [error] = refusals(await post(shared, creating(**wrong)), 400, "BAD_REQUEST")
    assert f"`{next(iter(wrong))}`" in error["message"]
    assert await stored(shared) == 0


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions", "unknown"])
async def test_null_is_as_good_as_nothing(shared: Api, name: str) -> None:
    answer = await post(shared, {"query": "{ __typename }", name: None})
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($a: Int!) { pipelines(first: $a) { totalCount } }", {}),
        ("query ($a: Int) { pipelines(first: $a) { totalCount } }", {"a": "1"}),
        ("query ($a: Int) { pipelines(first: $a) { totalCount } }", {"a": 1.5}),
        ("query ($a: Int) { pipelines(first: $a) { totalCount } }", {"a": 2**31}),
        ("query ($a: Int) { pipelines(first: $a) { totalCount } }", {"a": [1]}),
        ("query ($a: Int) { pipelines(first: $a) { totalCount } }", {"a": {}}),
        ("query ($a: ID!) { pipeline(id: $a) { id } }", {"a": None}),
        ("query ($a: ID!) { pipeline(id: $a) { id } }", {"a": True}),
        ("query ($a: PipelineFilter) { pipelines(filter: $a) { totalCount } }", {"a": "x"}),
        ("query ($a: PipelineFilter) { pipelines(filter: $a) { totalCount } }", {"a": {"no": 1}}),
        ("query ($a: PipelineFilter) { pipelines(filter: $a) { totalCount } }", {"a": {"statuses": "pending"}}),
        ("query ($a: PipelineFilter) { pipelines(filter: $a) { totalCount } }", {"a": {"createdAfter": 0}}),
        ("query ($a: PipelineOrder!) { pipelines(orderBy: $a) { totalCount } }", {"a": {"field": None}}),
        ("query ($a: Boolean = true) { __typename @skip(if: $a) }", {"a": None}),
    ],
)
async def test_wrong_variables_are_bad_input(shared: Api, query: str, variables: dict[str, Any]) -> None:
    answer = await post(shared, {"query": query, "variables": variables}, accept=GRAPHQL)
    refusals(answer, 400, "BAD_USER_INPUT")


@pytest.mark.parametrize("query", ["subscription { __typename }", "subscription { pipelines { totalCount } }"])
async def test_a_post_does_not_subscribe(shared: Api, query: str) -> None:
    answer = await post(shared, {"query": query}, accept=GRAPHQL)
    assert answer.status_code in (400, 405, 406)
    assert "data" not in answer.json()
    assert all(error["extensions"]["code"] for error in answer.json()["errors"])
