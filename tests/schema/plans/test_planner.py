"""Plan cache: plans are kept up to a maximum number."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType
from strawberry.extensions import FieldExtension

from schema import graphql_schema
from schema.plans import planner
from schema.plans.planner import Planner
from schema.plans.selections import Unplanned
from tests.schema.plans.data import id_of
from tests.schema.plans.pair import Pair

FLAGGED = "query ($id: ID!, $more: Boolean!) { pipeline(id: $id) { id name @include(if: $more) } }"


async def test_a_plan_is_made_once(pair: Pair) -> None:
    compiled = pair.plans.tally.compiled
    for number in (1, 2, 1):
        await pair.same("query ($id: ID!) { pipeline(id: $id) { name status } }", {"id": id_of(1, number)})
    assert pair.plans.tally.compiled == compiled + 1


async def test_a_plan_is_made_for_each_value_of_a_condition(pair: Pair) -> None:
    compiled = pair.plans.tally.compiled
    for more in (True, False, True, False):
        await pair.same(FLAGGED, {"id": id_of(1, 1), "more": more})
    assert pair.plans.tally.compiled == compiled + 2


async def test_what_has_no_plan_is_tried_once(pair: Pair) -> None:
    compiled = pair.plans.tally.compiled
    for _ in range(3):
        await pair.same("{ __schema { queryType { name } } }", served=False)
    assert pair.plans.tally.compiled == compiled + 1


class Refused(FieldExtension):
    """Field extension that refuses every call."""

    def resolve(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        raise PermissionError


@pytest.mark.parametrize(
    ("type_name", "field"), [("Query", "pipeline"), ("Pipeline", "elements"), ("PipelineElement", "name")]
)
async def test_what_something_stands_before_has_no_plan(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, type_name: str, field: str
) -> None:
    kind = graphql_schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    monkeypatch.setattr(kind.fields[field].extensions["strawberry-definition"], "extensions", [Refused()])
    pair = pair.with_plans(Planner(pair.services, 2**26))
    operation = await pair.operation(f'{{ pipeline(id: "{id_of(1, 9)}") {{ elements {{ name }} }} }}')
    with pytest.raises(Unplanned):
        pair.plans.find(operation.document, None, None)


async def test_the_plans_used_longest_ago_go(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CACHED", 2)
    pair = pair.with_plans(Planner(pair.services, 2**26))
    first, *others = [f"{{ a{number}: __typename }}" for number in range(4)]
    for query in (first, first, *others, first):
        await pair.same(query)
    assert pair.plans.tally.compiled == 5
    assert pair.plans._plan.cache_info().currsize == 2
