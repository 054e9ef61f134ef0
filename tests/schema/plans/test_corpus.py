"""Queries with a high risk that plan and executor differ."""

from __future__ import annotations

from typing import Any

import graphql
import pytest
from graphql import OperationDefinitionNode

from tests.api import ROOT, operation
from tests.schema.plans import stored
from tests.schema.plans.data import CURSORS, id_of
from tests.schema.plans.pair import Pair

THIRD, LAST = CURSORS["CREATED_AT", "DESC"][3], CURSORS["CREATED_AT", "DESC"][0]
VARIABLES: dict[str, dict[str, Any]] = {
    "One": {"id": id_of(1, 9)},
    "RerunsOfOne": {"id": id_of(1, 3)},
    "OneTypename": {"id": id_of(1, 9)},
    "OneOfEach": {"id": id_of(1, 9)},
    "NumberAsId": {"id": 7},
    "Included": {"a": True},
    "IncludedFragment": {"a": False},
    "SkippedRoot": {"a": True},
    "After": {"c": THIRD},
    "Before": {"c": THIRD},
    "BeforeOnly": {"c": THIRD},
    "BeyondTheEnd": {"c": LAST},
    "Between": {"c": THIRD},
    "OneAsListVariable": {"s": "PENDING"},
    "VariableInList": {"s": "PENDING"},
    "NullVariable": {"p": None, "id": None},
    "Counts": {"f": {"nameContains": "STRASSE", "createdAfter": "2001-02-03T11:00:00.0000009+01:00"}},
    "Measurements": {"f": {"types": "TIME_SERIES", "createdAfter": "2001-01-01T00:00:00Z"}, "o": {"field": "NAME"}},
    "DefaultDirection": {"o": {"field": "NAME"}},
    "WrongVariable": {"id": {"x": 1}},
    "WrongColumn": {"id": stored.IDS["Measurement"][2]},
    "NullCondition": {"a": None},
    "OutOfRange": {"f": 0},
    "TooLarge": {"f": 2**40},
    "ChosenElements": {"t": ["VALIDATION", "DATA_FIT"]},
    "SeveralWrong": {"f": {"statuses": ["NONE"], "x": 1}},
}


def documents(file: str) -> tuple[str, list[str]]:
    """A document and the names of its operations."""
    text = (ROOT / "tests" / "schema" / "plans" / file).read_text()
    found = [node for node in graphql.parse(text).definitions if isinstance(node, OperationDefinitionNode)]
    return text, [node.name.value for node in found if node.name]


SERVED, SERVED_NAMES = documents("served.graphql")
RESULTS, RESULT_NAMES = documents("results.graphql")
LEFT, LEFT_NAMES = documents("left.graphql")


@pytest.mark.parametrize("name", SERVED_NAMES)
async def test_a_plan_serves(pair: Pair, name: str) -> None:
    for _ in range(2):
        await pair.same(SERVED, VARIABLES.get(name), name)


@pytest.mark.parametrize("name", RESULT_NAMES)
async def test_a_plan_serves_results(pair: Pair, name: str) -> None:
    for _ in range(2):
        await pair.same(RESULTS, VARIABLES.get(name), name)


@pytest.mark.parametrize("name", LEFT_NAMES)
async def test_the_executor_is_left(pair: Pair, name: str) -> None:
    for _ in range(2):
        await pair.same(LEFT, VARIABLES.get(name), name, served=False)


@pytest.mark.parametrize("name", ["Pipeline", "PipelineProgress", "PipelineResults", "Node"])
@pytest.mark.parametrize("number", [0, 1, 9, 12, 13])
async def test_the_operations_of_one_pipeline_are_served(pair: Pair, name: str, number: int) -> None:
    await pair.same(operation(name), {"id": id_of(1, number)})


@pytest.mark.parametrize("points", [1, 2, 3, 4, 5, 8, 9, 10, 5000])
async def test_traces_are_thinned_alike(pair: Pair, points: int) -> None:
    answer = await pair.same(operation("JobTrace"), {"id": id_of(1, 9), "maxPoints": points})
    traces = [element["job"]["trace"] for element in answer["data"]["pipeline"]["elements"] if element["job"]]
    assert 0 < max(map(len, traces)) <= points


@pytest.mark.parametrize("lines", [1, 3, 5000])
async def test_logs_are_read_alike(pair: Pair, lines: int) -> None:
    for after in (0, 1, 7, 8, 100):
        answer = await pair.same(operation("JobLog"), {"id": id_of(3, 9, 2), "after": after, "maxLines": lines})
        numbers = [line["number"] for line in answer["data"]["node"]["log"]]
        assert numbers == list(range(after + 1, min(after + lines, 8) + 1))
