"""Input objects in variables: one with many unknown keys is refused before it is coerced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql.execution import values

from tests.api import Api, operation
from tests.schema.requests import GRAPHQL, post, refusals

FILTER = "query ($f: PipelineFilter) { pipelines(filter: $f) { totalCount } }"


def unknown(count: int) -> dict[str, Any]:
    return {f"zz{n}": n for n in range(count)}


@pytest.mark.parametrize(
    ("query", "variables", "place"),
    [
        (FILTER, {"f": unknown(1_000)}, "f"),
        (
            operation("CreatePipeline"),
            {"input": {"projectId": "p", "elements": [{}, unknown(1_000)]}},
            "input.elements.1",
        ),
    ],
    ids=["object", "nested"],
)
async def test_an_object_with_many_keys_is_refused_before_it_is_coerced(
    shared: Api, query: str, variables: Any, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def coerce(*_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is coerced")

    monkeypatch.setattr(values, "coerce_variable_values", coerce)
    answer = await post(shared, {"query": query, "variables": variables}, accept=GRAPHQL)
    [error] = refusals(answer, 400, "BAD_USER_INPUT")
    assert f"The object at {place} has 1,000 keys; `Pipeline" in error["message"]


async def test_few_unknown_keys_are_named(shared: Api) -> None:
    answer = await post(shared, {"query": FILTER, "variables": {"f": unknown(3)}}, accept=GRAPHQL)
    errors = refusals(answer, 400, "BAD_USER_INPUT")
    assert [f"'zz{n}'" in error["message"] for n, error in enumerate(errors)] == [True] * 3


async def test_at_most_20_errors_of_variables_are_reported(shared: Api) -> None:
    answer = await post(shared, {"query": FILTER, "variables": {"f": unknown(24)}}, accept=GRAPHQL)
    errors = refusals(answer, 400, "BAD_USER_INPUT")
    assert len(errors) == 21
    assert "Too many errors" in errors[-1]["message"]


async def test_keys_inside_json_are_not_counted(shared: Api) -> None:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": unknown(1_000)}]
    assert await shared.create(elements=elements)


@pytest.mark.parametrize(("count", "is_right"), [(250, True), (251, False)])
async def test_lists_in_documents_and_variables_have_one_limit(shared: Api, count: int, is_right: bool) -> None:
    ids = ["p"] * count
    literal = "{ pipelines(filter: {projectIds: " + json.dumps(ids) + "}) { totalCount } }"
    found = await post(shared, {"query": literal}, accept=GRAPHQL)
    given = await post(shared, {"query": FILTER, "variables": {"f": {"projectIds": ids}}}, accept=GRAPHQL)
    if is_right:
        assert [answer.json()["data"]["pipelines"]["totalCount"] for answer in (found, given)] == [0, 0]
        return
    [error] = refusals(found, 400, "GRAPHQL_VALIDATION_FAILED")
    assert (error["message"], error["locations"]) == (
        "This list has 251 items; the most is 250.",
        [{"line": 1, "column": 34}],
    )
    [error] = refusals(given, 400, "BAD_USER_INPUT")
    assert error["message"] == "The list at f.projectIds has more than 250 items."


async def test_a_wrong_time_in_a_document_has_its_place(shared: Api) -> None:
    query = '{ pipelines(filter: {and: [{started: {after: "today"}}]}) { totalCount } }'
    [error] = refusals(await post(shared, {"query": query}, accept=GRAPHQL), 400, "GRAPHQL_VALIDATION_FAILED")
    assert error["locations"] == [{"line": 1, "column": 46}]
