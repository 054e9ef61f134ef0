"""Mutations have the same effects and answers with and without plans."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import graphql
import pytest
from graphql import DocumentNode, FieldNode, OperationDefinitionNode, SelectionSetNode
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries

from app.auth.caller import LOCAL
from app.auth.keys import PREFIX_LENGTH, open_keys
from app.database.connect import database_url as parsed
from tests.schema.plans.data import START, fill, id_of
from tests.schema.plans.pair import Pair, written
from tests.schema.plans.stored import store
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
DRAFT = 'name: "new", notes: "É", tags: ["b", "A"], bytes: 7'
CELL_CHANGES = 'name: "new", details: {ratings: null, x: [1.50]}'
OTHER_CHANGES = [
    f'createMeasurement(input: {{projectId: "a", {DRAFT}}})',
    f'createMeasurement(input: {{projectId: "a", {DRAFT}, idempotencyKey: "again"}})',
    'createMeasurement(input: {projectId: "a", name: "inline", data: {t: [1, 2.5, null]}})',
    f'createMeasurement(input: {{cellInstanceId: "{id_of(5, 1)}", name: " ", tags: [""]}})',
    f'createMeasurement(input: {{cellInstanceId: "{id_of(5, 1)}", name: "of a cell"}})',
    f'completeMeasurement(id: "{id_of(6, 8)}")',
    f'completeMeasurement(id: "{id_of(6, 0)}")',
    f'completeMeasurement(id: "{id_of(6, 2)}")',
    f'updateMeasurement(id: "{id_of(6, 2)}", input: {{name: "new", notes: null, tags: ["x"]}})',
    f'updateMeasurement(id: "{id_of(6, 3)}", input: {{name: null}})',
    f'updateMeasurement(id: "{id_of(6, 4)}", input: {{name: "of others"}})',
    f'deleteMeasurement(id: "{id_of(6, 8)}")',
    f'deleteMeasurement(id: "{id_of(6, 1)}")',
    'createCellSpecification(input: {projectId: "a", name: "new", details: {x: {}}})',
    'createCellSpecification(input: {projectId: "a", name: "Cell 0", details: {id: 1}})',
    f'createCellInstance(input: {{cellSpecificationId: "{id_of(4, 1)}", name: "new"}})',
    f'createCellInstance(input: {{cellSpecificationId: "{id_of(4, 4)}", name: "new"}})',
    f'updateCellSpecification(id: "{id_of(4, 1)}", input: {{{CELL_CHANGES}}})',
    f'updateCellInstance(id: "{id_of(5, 1)}", input: {{{CELL_CHANGES}}})',
    f'deleteCellSpecification(id: "{id_of(4, 1)}")',
    f'deleteCellInstance(id: "{id_of(5, 0)}")',
    'createApiKey(input: {email: "a@example.org"})',
]
OTHER_PAYLOADS = {
    "createApiKey": "secret apiKey { prefix createdAt projectIds }",
    "createMeasurement": "measurement { id } upload { method headers maxBytes expiresAt __typename }",
    "deleteMeasurement": "deletedMeasurementId",
    "deleteCellSpecification": "deletedCellSpecificationId",
    "deleteCellInstance": "deletedCellInstanceId",
}
"""Fields of the payloads that have more than one object."""
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


def other_changes(selected: dict[str, SelectionSetNode], chosen: list[str]) -> DocumentNode:
    """Build mutations of measurements, cells and keys that select these fields of their objects."""
    fields = []
    for number, change in enumerate(chosen):
        name = change.partition("(")[0]
        kind = next((kind for kind in selected if name.endswith(kind[0].upper() + kind[1:])), "measurement")
        own = OTHER_PAYLOADS.get(name) or f"{kind} {{ id }}"
        text = f"m{number}: {change} {{ {own} userErrors {{ code message field }} __typename }}"
        document = graphql.parse(f"mutation {{ {text} }}")
        replaced = graphql.visit(document, Replacing(selected))
        [operation] = replaced.definitions
        fields += operation.selection_set.selections
    made = OperationDefinitionNode(
        operation=graphql.OperationType.MUTATION, selection_set=SelectionSetNode(selections=tuple(fields))
    )
    return DocumentNode(definitions=(made,))


class Replacing(graphql.Visitor):
    """Replaces the selections of fields by their names."""

    def __init__(self, selected: dict[str, SelectionSetNode]) -> None:
        super().__init__()
        self._selected = selected

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
        selected = self._selected.get(node.name.value, node.selection_set)
        return FieldNode(name=node.name, alias=node.alias, arguments=node.arguments, selection_set=selected)


@cache
def generated_others() -> list[tuple[str, dict[str, Any]]]:
    """Random mutations of measurements, cells and keys."""
    found = []
    kinds = ["measurement", "cellInstance", "cellSpecification"]
    shapes = [
        queries(SDL, fields=[kind], custom_scalars=SCALARS, print_ast=lambda document: document, allow_x00=False)
        for kind in kinds
    ]

    @settings(max_examples=EXAMPLES // 2, phases=[Phase.generate])
    @given(st.tuples(*shapes), st.lists(st.sampled_from(OTHER_CHANGES), min_size=1, max_size=3), st.integers(0, 2**32))
    def collect(documents: tuple[DocumentNode, ...], chosen: list[str], seed: int) -> None:
        selected = {}
        for kind, document in zip(kinds, documents, strict=True):
            [operation] = document.definitions
            assert isinstance(operation, OperationDefinitionNode)
            field = operation.selection_set.selections[0]
            assert isinstance(field, FieldNode)
            assert field.selection_set is not None
            selected[kind] = field.selection_set
        found.append(varied(other_changes(selected, chosen), seed))

    collect()
    return found


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


@pytest.mark.parametrize("generate", [generated, generated_others])
async def test_plans_answer_mutations_as_the_executor_does(
    pair: Pair, caplog: pytest.LogCaptureFixture, generate: Callable[[], list[tuple[str, dict[str, Any]]]]
) -> None:
    served = pair.plans.tally.plan
    for query, variables in generate():
        answers = []
        for plans in (None, pair.plans):
            await fill(pair.services.database)
            await pair.services.database.write(store)
            answer = await pair.answer(query, variables, plans=plans)
            answers.append(comparable(written(answer)))
        assert answers[0] == answers[1], (query, variables)
    assert [record.exc_info for record in caplog.records if record.name == "voltgraph.plans"] == []
    assert pair.plans.tally.plan - served >= 0.6 * len(generate())


KEYS = """mutation ($prefix: ID!) {
  createApiKey(input: {email: "a@example.org", projectIds: ["b", "a"], readOnly: true}) {
    secret userErrors { code } __typename
    apiKey { prefix userId email projectIds readOnly isAdmin createdAt createdBy lastUsedAt revokedAt revokedBy }
  }
  no: createApiKey(input: {email: "", isAdmin: true, readOnly: true}) { secret userErrors { field code } }
  revokeApiKey(prefix: $prefix) { apiKey { prefix revokedBy __typename } userErrors { message } }
  none: revokeApiKey(prefix: "none") { apiKey { prefix } userErrors { message field __typename } }
}"""
KEY = re.compile(rb"vg_[\w-]+")


async def test_mutations_of_keys_are_answered_alike(pair: Pair, shared_url: str) -> None:
    answers, served = [], pair.plans.tally.plan
    async with open_keys(parsed(shared_url)) as keys:
        admin = (await keys.create(LOCAL.organization_id, is_admin=True))[:PREFIX_LENGTH]
        pair = pair.of(replace(LOCAL, key=admin, is_admin=True))
        for plans in (None, pair.plans):
            other = (await keys.create(LOCAL.organization_id))[:PREFIX_LENGTH]
            answer = await pair.answer(KEYS, {"prefix": other}, plans=plans)
            answer.body.pop("extensions")
            answers.append(KEY.sub(b"key", comparable(written(answer))))
    assert answers[0] == answers[1]
    assert "errors" not in answer.body
    assert pair.plans.tally.plan == served + 1
