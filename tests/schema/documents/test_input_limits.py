"""Input objects in variables: one with many unknown keys is refused before it is coerced."""

from __future__ import annotations

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
