"""Limits of operations: each is tested on both sides, with the message of the refusal."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query

from tests.api import Api, operation
from tests.schema.requests import GRAPHQL, creating, post, refusals, stored
from tests.sharing import in_process

ONE = 'pipeline(id: "x")'


def nested(levels: int) -> str:
    """Build a query of this many levels."""
    pairs = (levels - 3) // 2
    inner = "elements { " + "job { element { " * pairs + ("id" if levels % 2 else "job { id }") + " } }" * pairs + " }"
    return f"{{ {ONE} {{ {inner} }} }}"


def bomb(levels: int) -> str:
    """Build fragments that each spread the next one twice."""
    last = f"fragment f{levels} on Query {{ a: viewer {{ email }} }}"
    return "{ ...f0 }" + "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(levels)) + last


ALLOWED = {
    "depth": nested(10),
    "aliases": "{ " + f"{ONE} {{ " + " ".join(f"a{i}: id" for i in range(30)) + " } }",
    "root fields": "{ " + "viewer { email } " * 20 + "}",
    "directives": "{ viewer { " + "email @include(if: true) " * 50 + "} }",
    "width": "{ viewer { " + "email " * 300 + "} }",
    "cost": "{ pipelines(first: 100) { nodes { id elements { id name jobConfig status } } } }",
    "introspection": get_introspection_query(input_value_deprecation=True),
}
REFUSED = {
    "depth": (nested(11), "11 levels of fields"),
    "depth through fragments": (
        "{ ...a } fragment a on Query { " + nested(11)[1:-1] + " }",
        "11 levels of fields",
    ),
    "aliases": ("{ " + f"{ONE} {{ " + " ".join(f"a{i}: id" for i in range(31)) + " } }", "31 aliases"),
    "aliases by fragments": (
        f"{{ {ONE} {{ ...a ...b }} }} fragment a on Pipeline {{ "
        + " ".join(f"a{i}: id" for i in range(16))
        + " } fragment b on Pipeline { ...a }",
        "32 aliases",
    ),
    "root fields": ("{ " + "viewer { email } " * 21 + "}", "21 root fields"),
    "root fields by fragments": ("{ " + "... { viewer { email } } " * 21 + "}", "21 root fields"),
    "directives": ("{ viewer { " + "email @include(if: true) " * 51 + "} }", "51 directives"),
    "width": ("{ viewer { " + "email " * 301 + "} }", "301 fields in one selection"),
    "bomb": (bomb(60), "over a million aliases"),
}


@pytest.mark.parametrize("query", ALLOWED.values(), ids=ALLOWED)
async def test_up_to_its_limit_it_is_answered(shared: Api, query: str) -> None:
    assert "errors" not in (await post(shared, {"query": query})).json()


@pytest.mark.parametrize(("query", "said"), REFUSED.values(), ids=REFUSED)
async def test_beyond_it_is_refused(shared: Api, query: str, said: str) -> None:
    errors = refusals(await post(shared, {"query": query}, accept=GRAPHQL), 400, "TOO_COMPLEX")
    assert any(said in error["message"] for error in errors)


async def test_all_that_is_too_much_is_said_at_once(shared: Api) -> None:
    many = " ".join(f"a{i}: viewer {{ email }}" for i in range(40))
    errors = refusals(await post(shared, {"query": f"{{ {many} }}"}, accept=GRAPHQL), 400, "TOO_COMPLEX")
    assert len(errors) == 2


COSTLY = "query ($n: Int = 5) { pipelines(first: $n) { nodes { id elements { id name status jobConfig result } } } }"


@pytest.mark.parametrize(
    ("variables", "cost"), [({}, 237), ({"n": None}, 942), ({"n": 100}, 4702), ({"n": "x"}, None), ({"n": 9999}, None)]
)
async def test_a_cost_counts_pages_by_their_variables(database_url: str, variables: Any, cost: int | None) -> None:
    async with in_process(database_url, max_cost=(cost or 5001) - 1) as api:
        answer = await post(api, {"query": COSTLY, "variables": variables}, accept=GRAPHQL)
        if cost is None:
            assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
        else:
            [error] = refusals(answer, 400, "TOO_COMPLEX")
            assert f"costs {cost:,};" in error["message"]


async def test_a_mutation_that_costs_too_much_changes_nothing(database_url: str) -> None:
    async with in_process(database_url, max_cost=55) as api:
        refusals(await post(api, creating(), accept=GRAPHQL), 400, "TOO_COMPLEX")
        assert await stored(api) == 0


@pytest.mark.parametrize(("field", "item"), [("elements", {"name": "a"}), ("elements", None)])
async def test_a_long_list_is_refused_before_it_is_read(shared: Api, field: str, item: Any) -> None:
    body = {"query": operation("CreatePipeline"), "variables": {"input": {"projectId": "p", field: [item] * 251}}}
    [error] = refusals(await post(shared, body, accept=GRAPHQL), 400, "BAD_USER_INPUT")
    assert "input.elements has more than 250 items" in error["message"]


async def test_lists_inside_json_are_not_counted(shared: Api) -> None:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"x": [1] * 5000}}}]
    assert await shared.create(elements=elements)


async def test_introspection_can_be_turned_off(database_url: str) -> None:
    async with in_process(database_url, introspection=False) as api:
        answer = await post(api, {"query": "{ __schema { queryType { name } } }"}, accept=GRAPHQL)
        refusals(answer, 400, "GRAPHQL_VALIDATION_FAILED")
        assert "errors" not in (await post(api, {"query": "{ viewer { __typename } }"})).json()


async def test_suggestions_can_be_turned_off(database_url: str) -> None:
    for suggestions in (True, False):
        async with in_process(database_url, suggestions=suggestions) as api:
            answer = (await post(api, {"query": "{ pipelinez { totalCount } }"})).json()
            assert ("Did you mean" in answer["errors"][0]["message"]) is suggestions


BULK = "mutation($ids: [ID!]! = [1, 2]) { startPipelines(ids: $ids) { results { pipeline { id } } } }"


@pytest.mark.parametrize(("variables", "cost"), [({}, 47), ({"ids": ["x"]}, 24), ({"ids": ["x"] * 100}, 2301)])
async def test_each_id_of_a_list_costs_a_mutation(database_url: str, variables: Any, cost: int) -> None:
    async with in_process(database_url, max_cost=cost - 1) as api:
        [error] = refusals(await post(api, {"query": BULK, "variables": variables}, accept=GRAPHQL), 400, "TOO_COMPLEX")
        assert f"costs {cost:,};" in error["message"]
