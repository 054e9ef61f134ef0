"""Mutations have the same effects and answers with and without plans."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import graphql
import pytest
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, SelectionSetNode
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries

from tests.schema.plans.data import START, fill, id_of
from tests.schema.plans.pair import Pair, written
from tests.schema.plans.test_equal import SCALARS, SDL
from tests.schema.plans.variations import varied

EXAMPLES = 40
"""Number of documents for each of two databases."""
CHANGES = [
    'createPipeline(input: {projectId: "a", elements: [{name: "a", elementType: DATA_FIT, jobConfig: {x: 2.50}}]})',
    'createPipeline(input: {projectId: "a", name: "é", elements: [], options: {liveProgressUpdates: true}})',
    'createPipeline(input: {projectId: " ", elements: [{name: "", elementType: DATA_FIT, jobConfig: 1}]})',
    'createPipeline(input: {projectId: "a", elements: [], idempotencyKey: "again"})',
    f'updatePipeline(id: "{id_of(1, 10)}", input: {{name: "new", options: {{liveProgressUpdates: false}}}})',
    f'updatePipeline(id: "{id_of(1, 3)}", input: {{name: null, elements: []}})',
    f'startPipeline(id: "{id_of(1, 1)}")',
    f'cancelPipeline(id: "{id_of(1, 11)}")',
    f'cancelPipeline(id: "{id_of(1, 4)}")',
    f'duplicatePipeline(id: "{id_of(1, 9)}", name: null)',
    f'rerunPipeline(id: "{id_of(1, 9)}")',
    f'rerunPipeline(id: "{id_of(1, 12)}", input: {{from: "element 0", name: "é", start: false}})',
    f'rerunPipeline(id: "{id_of(1, 3)}", input: {{elements: [{{name: "element 9", jobConfig: {{}}}}]}})',
    'startPipeline(id: "unknown")',
    f'deletePipeline(id: "{id_of(1, 12)}")',
    f'deletePipeline(id: "{id_of(1, 1)}")',
]
PAYLOAD = """userErrors { code message field __typename }
  query {
    pipelines(first: 2) { totalCount nodes { id name } }
    pipelineCounts { status count }
    projects { id counts { count } }
    rateLimit { maxCost }
  }"""
UUID = re.compile(rb"01[0-9a-f]{6}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
TIME = re.compile(rb"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d{6}Z)?")
STORED = re.compile(f"{START:%Y-%m-%d}T1[0-4]:".encode())
"""Times of the existing rows."""


def comparable(answer: bytes) -> bytes:
    """Return the answer with new ids and times, which differ between two runs, replaced by numbers."""
    seen: dict[bytes, bytes] = {}
    counted = UUID.sub(lambda found: seen.setdefault(found[0], b"id %d" % len(seen)), answer)
    return TIME.sub(lambda found: found[0] if STORED.match(found[0]) else b"time", counted)


def changing(selected: SelectionSetNode, chosen: list[str]) -> DocumentNode:
    """Build mutations with response keys of their own that select these fields of each pipeline."""
    fields = []
    for number, change in enumerate(chosen):
        own = "deletedPipelineId" if change.startswith("delete") else "pipeline { id }"
        document = graphql.parse(f"mutation {{ m{number}: {change} {{ {own} {PAYLOAD} }} }}")
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        [root] = operation.selection_set.selections
        assert isinstance(root, FieldNode)
        assert root.selection_set is not None
        first, *others = root.selection_set.selections
        assert isinstance(first, FieldNode)
        if first.selection_set is not None:
            first = FieldNode(name=first.name, selection_set=selected)
        payload = SelectionSetNode(selections=(first, *others))
        fields.append(FieldNode(name=root.name, alias=root.alias, arguments=root.arguments, selection_set=payload))
    made = OperationDefinitionNode(
        operation=graphql.OperationType.MUTATION, selection_set=SelectionSetNode(selections=tuple(fields))
    )
    return DocumentNode(definitions=(made,))


@cache
def generated() -> list[tuple[str, dict[str, Any]]]:
    found = []
    shapes = queries(
        SDL, fields=["pipeline"], custom_scalars=SCALARS, print_ast=lambda document: document, allow_x00=False
    )

    @settings(max_examples=EXAMPLES, phases=[Phase.generate])
    @given(shapes, st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3), st.integers(0, 2**32))
    def collect(document: DocumentNode, chosen: list[str], seed: int) -> None:
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        field = operation.selection_set.selections[0]
        assert isinstance(field, FieldNode)
        assert field.selection_set is not None
        found.append(varied(changing(field.selection_set, chosen), seed))

    collect()
    return found


async def test_plans_answer_mutations_as_the_executor_does(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    served = pair.plans.tally.plan
    for query, variables in generated():
        answers = []
        for plans in (None, pair.plans):
            await fill(pair.services.database)
            answer = await pair.answer(query, variables, plans=plans)
            answers.append(comparable(written(answer)))
        assert answers[0] == answers[1], (query, variables)
    assert [record.exc_info for record in caplog.records if record.name == "voltgraph.plans"] == []
    assert pair.plans.tally.plan - served >= 0.6 * EXAMPLES
