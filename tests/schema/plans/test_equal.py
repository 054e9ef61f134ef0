"""Plans and executor give the same answers byte for byte, over random queries."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from graphql import DocumentNode
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from app.auth.caller import LOCAL
from schema import schema
from tests.schema.plans.pair import Pair
from tests.schema.plans.variations import varied

EXAMPLES = 1000
"""Number of queries for each of two databases."""
SCALARS: Any = {"JSON": st.just(nodes.Object([])), "DateTime": st.just(nodes.String("2026-11-23T10:00:00Z"))}
SDL = schema.as_str()
ROOTS = [
    ["pipeline"],
    ["pipelines"],
    ["pipelines", "viewer"],
    ["node"],
    ["pipelineCounts"],
    ["nodes"],
    ["projects", "project"],
    ["measurements"],
    ["measurement"],
    ["cellSpecifications", "cellInstances"],
    ["auditLog", "apiKeys", "system"],
    None,
]


@cache
def generated() -> list[tuple[str, dict[str, Any]]]:
    """Random valid queries with their variables, equal in every run."""
    found = []
    shapes = st.one_of(
        [
            queries(SDL, fields=fields, custom_scalars=SCALARS, print_ast=lambda document: document, allow_x00=False)
            for fields in ROOTS
        ]
    )

    @settings(max_examples=EXAMPLES, phases=[Phase.generate])
    @given(shapes, st.integers(0, 2**32))
    def collect(document: DocumentNode, seed: int) -> None:
        found.append(varied(document, seed))

    collect()
    return found


async def test_plans_answer_as_the_executor_does(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    served, pair = 0, pair.of(replace(LOCAL, is_admin=True))
    for query, variables in generated():
        alone, answered, by_plan = await pair.both(query, variables)
        assert answered == alone, (query, variables)
        served += by_plan
    assert [record.exc_info for record in caplog.records if record.name == "voltgraph.plans"] == []
    assert len(generated()) >= EXAMPLES
    assert served >= 0.5 * EXAMPLES
