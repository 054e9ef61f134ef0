"""Pages of pipelines are those of a list that is filtered and sorted in memory, whatever path reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from app.auth.caller import LOCAL
from app.models.columns import instant_text
from app.models.enums import ElementType, JobErrorCode, PipelineElementStatus, PipelineStatus
from app.models.tables import Pipeline, PipelineElement, PipelineLabel
from app.pipelines.lists import access_paths, probes
from app.pipelines.lists.access_paths import Walk, search_path
from app.pipelines.lists.labels import dump
from app.pipelines.lists.predicates import OF_ELEMENT, Condition, Group, predicate
from app.pipelines.lists.probes import NUMBERED, Probe, Prober
from app.pipelines.lists.server_probes import BY_ID
from tests.api import Api
from tests.sharing import in_process

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
ROWS, REQUESTS = 150, 25
BOUNDS: list[dict[str, int]] = [
    {"NEAR": 4, "FURTHER": 15, "FAR": 40, "FEW_OF_ALL": 3, "MANY_OF_ALL": 12, "FEW": 2},
    {"NEAR": 30, "FURTHER": 60, "FAR": 100, "FEW_OF_ALL": 0, "MANY_OF_ALL": 1, "FEW": 0},
    {},
]
"""Bounds of the paths, so that each of them is taken."""
NAMES = ["fuzz", "Fizz 77", "a-b", "qw", "Straße", "é", "zz top", "q_w", "7"]
TEXTS = ["z", "q", "7", "-", "é", "ss", "zz", "qw", "a-", "_w", "fuz", "top", "none", "i", "ü", " ", "k"]
ELEMENT_NAMES = ["fit", "Cell 7", "other"]
PROJECTS, LABELS = ["p", "q", "none"], ["a", "b", "none"]
ORDERS = ["CREATED_AT", "UPDATED_AT", "NAME", "STATUS", "STARTED_AT", "FINISHED_AT", "DURATION"]
NULLABLE = {"STARTED_AT", "FINISHED_AT", "DURATION"}
QUERY = """query ($f: PipelineFilter, $o: PipelineOrder!, $first: Int, $after: String, $last: Int, $before: String) {
  pipelines(filter: $f, orderBy: $o, first: $first, after: $after, last: $last, before: $before) {
    nodes { id elements { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
WHOLE = """query ($f: PipelineFilter) {
  pipelines(filter: $f, first: 1) { totalCount } pipelineCounts(filter: $f) { status count } }"""


@dataclass
class Row:
    """A pipeline in memory."""

    pipeline: Pipeline
    labels: list[str]
    elements: list[PipelineElement] = field(default_factory=list)

    def value(self, order: str) -> Any:
        found = getattr(self.pipeline, order.lower())
        return found.name if order == "STATUS" else found


def make_rows(draw: Random) -> list[Row]:
    found = []
    for number in range(ROWS):
        at = AT + timedelta(seconds=draw.randrange(60))
        is_old = number < ROWS // 3
        status = draw.choice(list(PipelineStatus))
        name = draw.choice(NAMES[: 5 if is_old else None]) if draw.random() < 0.5 else f"n {number}"
        has_run = status is not PipelineStatus.PENDING and draw.random() < 0.8
        pipeline = Pipeline(
            id=f"{draw.randrange(10**9):09}-{number}",
            organization_id=LOCAL.organization_id if draw.random() < 0.9 else "other",
            project_id=PROJECTS[number % 2] if is_old else draw.choice(PROJECTS[:2]),
            name=name,
            folded_name=name.casefold(),
            description=draw.choice([None, f"About {draw.choice(NAMES)}"]),
            status=status,
            error_code=draw.choice(list(JobErrorCode)[:2]) if status is PipelineStatus.FAILED else None,
            created_by_email=draw.choice([None, "a@b.c"]),
            created_at=at,
            updated_at=at + timedelta(seconds=draw.randrange(3)),
            started_at=at if has_run else None,
            finished_at=at + timedelta(seconds=1) if has_run else None,
            duration=float(draw.randrange(5)) if has_run else None,
        )
        row = Row(pipeline, draw.sample(LABELS[:2], draw.randrange(3)))
        pipeline.labels = dump(row.labels)
        for order, name in enumerate(draw.sample(ELEMENT_NAMES, draw.randrange(3))):
            row.elements.append(
                PipelineElement(
                    id=f"{pipeline.id}-{order}",
                    pipeline_id=pipeline.id,
                    organization_id=pipeline.organization_id,
                    name=name,
                    element_order=order,
                    element_type=draw.choice(list(ElementType)),
                    status=PipelineElementStatus["PENDING" if status is PipelineStatus.PENDING else "COMPLETED"],
                    created_at=at,
                    updated_at=at,
                    job_config="{}",
                )
            )
        found.append(row)
    return found


def draw_filter(draw: Random, depth: int = 0) -> dict[str, Any]:
    """Return one to three conditions, which are ANDed."""
    found: dict[str, Any] = {}
    for _ in range(draw.choice([1, 2, 2, 3])):
        found |= draw.choice(MAKERS if depth < 1 else MAKERS[:-1])(draw)
    return found


def _element(draw: Random) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name": draw.choice(["fit", "none"]),
        "nameContains": draw.choice(["FI", "l", "none"]),
        "types": draw.sample([each.name for each in ElementType], 2),
        "statuses": ["COMPLETED"],
    }
    names = draw.sample(list(given), draw.choice([1, 2]))
    return {name: given[name] for name in names}


MAKERS: list[Any] = [
    lambda draw: {"nameContains": draw.choice(TEXTS)},
    lambda draw: {"descriptionContains": draw.choice(TEXTS)},
    lambda draw: {"nameStartsWith": draw.choice(["f", "fuz", "Z", "none"])},
    lambda draw: {"projectId": draw.choice(PROJECTS)},
    lambda draw: {"projectIds": draw.sample(PROJECTS, 2)},
    lambda draw: {"statuses": draw.sample([each.name for each in PipelineStatus], draw.choice([1, 1, 2]))},
    lambda draw: {"errorCodes": draw.sample([each.name for each in JobErrorCode], 2)},
    lambda draw: {"createdByEmail": draw.choice(["a@b.c", "none"])},
    lambda draw: {"labelsAny": draw.sample(LABELS, draw.choice([1, 2]))},
    lambda draw: {"labelsAll": draw.sample(LABELS[:2], draw.choice([1, 2]))},
    lambda draw: {"durationAtLeast": draw.choice([1, 4, 9])},
    lambda draw: {"createdAfter": instant_text(AT + timedelta(seconds=draw.choice([10, 50])))},
    lambda draw: {"updatedBefore": instant_text(AT + timedelta(seconds=draw.choice([10, 50])))},
    lambda draw: {"element": _element(draw)},
    lambda draw: {"elementTypes": draw.sample([each.name for each in ElementType], 1)},
    lambda draw: {draw.choice(["or", "and"]): [draw_filter(draw, 1) for _ in range(2)]},
    lambda draw: {"not": draw_filter(draw, 1)},
]


def matches(row: Row, filter: dict[str, Any]) -> bool:
    return all(CHECKS[name](row, operand) for name, operand in filter.items())


def _has_element(row: Row, filter: dict[str, Any]) -> bool:
    checks: dict[str, Any] = {
        "name": lambda each, operand: each.name == operand,
        "nameContains": lambda each, operand: operand.lower() in each.name.lower(),
        "types": lambda each, operand: each.element_type.name in operand,
        "statuses": lambda each, operand: each.status.name in operand,
    }
    return any(all(checks[name](each, operand) for name, operand in filter.items()) for each in row.elements)


CHECKS: dict[str, Any] = {
    "nameContains": lambda row, text: text.casefold() in row.pipeline.name.casefold(),
    "descriptionContains": lambda row, text: text.lower() in (row.pipeline.description or "").lower(),
    "nameStartsWith": lambda row, text: row.pipeline.name.casefold().startswith(text.casefold()),
    "projectId": lambda row, id: row.pipeline.project_id == id,
    "projectIds": lambda row, ids: row.pipeline.project_id in ids,
    "statuses": lambda row, names: row.pipeline.status.name in names,
    "errorCodes": lambda row, names: row.pipeline.error_code is not None and row.pipeline.error_code.name in names,
    "createdByEmail": lambda row, email: row.pipeline.created_by_email == email,
    "labelsAny": lambda row, labels: not set(labels).isdisjoint(row.labels),
    "labelsAll": lambda row, labels: set(labels) <= set(row.labels),
    "durationAtLeast": lambda row, least: row.pipeline.duration is not None and row.pipeline.duration >= least,
    "createdAfter": lambda row, at: instant_text(row.pipeline.created_at) > at,
    "updatedBefore": lambda row, at: instant_text(row.pipeline.updated_at) < at,
    "element": _has_element,
    "elementTypes": lambda row, names: any(each.element_type.name in names for each in row.elements),
    "or": lambda row, filters: any(matches(row, each) for each in filters),
    "and": lambda row, filters: all(matches(row, each) for each in filters),
    "not": lambda row, filter: not matches(row, filter),
}


def sort(rows: list[Row], order: str, *, descending: bool) -> list[Row]:
    """Return rows in an order: those without a value last in both directions."""
    having = sorted(
        (row for row in rows if row.value(order) is not None),
        key=lambda row: (row.value(order), row.pipeline.id),
        reverse=descending,
    )
    lacking = sorted(
        (row for row in rows if row.value(order) is None), key=lambda row: row.pipeline.id, reverse=descending
    )
    return having + lacking


@pytest.fixture(params=[True, False], ids=["plans", "resolvers"])
async def filled(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[tuple[Api, list[Row]]]:
    rows = make_rows(Random(1))
    async with in_process(database_url, plans=request.param) as api:
        assert api._database is not None

        async def store(session: Any) -> None:
            session.add_all([row.pipeline for row in rows])
            await session.flush()
            session.add_all([each for row in rows for each in row.elements])
            session.add_all(
                [PipelineLabel(pipeline_id=row.pipeline.id, folded_label=each) for row in rows for each in row.labels]
            )

        await api._database.write(store)
        yield api, [row for row in rows if row.pipeline.organization_id == LOCAL.organization_id]


@pytest.mark.parametrize("bounds", BOUNDS, ids=["small", "uneven", "real"])
async def test_pages_are_those_of_a_sorted_list(
    filled: tuple[Api, list[Row]], bounds: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, rows = filled
    for name, bound in bounds.items():
        monkeypatch.setattr(probes if name == "FEW" else access_paths, name, bound)
    draw, many = Random(7 + BOUNDS.index(bounds)), 0
    for _ in range(REQUESTS):
        filter, order, descending = draw_filter(draw), draw.choice(ORDERS), draw.random() < 0.5
        wanted = [
            row.pipeline.id for row in sort([row for row in rows if matches(row, filter)], order, descending=descending)
        ]
        given = {"f": filter, "o": {"field": order, "direction": "DESC" if descending else "ASC"}}
        await _read_forward(api, given, wanted, draw.choice([1, 3, 10]), filter)
        await _read_backward(api, given, wanted, draw.choice([2, 7]), filter)
        found = await api.data(WHOLE, f=filter)
        assert found["pipelines"]["totalCount"] == len(wanted), filter
        assert sum(each["count"] for each in found["pipelineCounts"]) == len(wanted), filter
        many += len(wanted) > 10
    assert REQUESTS / 4 < many < REQUESTS * 0.9


async def _read_forward(api: Api, given: dict[str, Any], wanted: list[str], size: int, filter: Any) -> None:
    """Read up to four pages from the start of a list."""
    after = None
    for start in range(0, size * 4, size):
        page = (await api.data(QUERY, **given, first=size, after=after))["pipelines"]
        assert [node["id"] for node in page["nodes"]] == wanted[start : start + size], (filter, start)
        assert page["pageInfo"]["hasNextPage"] is (start + size < len(wanted)), (filter, start)
        assert page["pageInfo"]["hasPreviousPage"] is (start > 0 and len(wanted) > 0), (filter, start)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return


async def _read_backward(api: Api, given: dict[str, Any], wanted: list[str], size: int, filter: Any) -> None:
    """Read up to three pages from the end of a list."""
    before, end = None, len(wanted)
    for _ in range(3):
        page = (await api.data(QUERY, **given, last=size, before=before))["pipelines"]
        start = max(end - size, 0)
        assert [node["id"] for node in page["nodes"]] == wanted[start:end], (filter, end)
        assert page["pageInfo"]["hasPreviousPage"] is (start > 0), (filter, end)
        before, end = page["pageInfo"]["startCursor"], start
        if not page["pageInfo"]["hasPreviousPage"]:
            return


def steps(conditions: Sequence[Condition], prober: Prober, order: str = "created_at", answer: int = 0) -> list[str]:
    """Return the names of the steps of a search, of which each walk finds `answer` rows, and the others too many."""
    searching, found = search_path(conditions, order, prober), []
    given: Any = None
    try:
        while True:
            step = searching.send(given)
            if step is not prober.settings:
                found.append(f"{type(step).__name__} {step.rows if isinstance(step, Walk) else ''}".strip())
            given = answer if isinstance(step, Walk) else [None] if isinstance(step, Probe) else range(step.most)
    except StopIteration:
        return found


STATUS = predicate("status", "in", [PipelineStatus.COMPLETED])
CODE = predicate("error_code", "in", [JobErrorCode.MODEL_ERROR])
PROJECT = predicate("project_id", "eq", "p")
TEXT = predicate("name", "contains", "qw")


def test_conditions_that_an_index_has_in_the_order_need_no_search() -> None:
    for conditions in ([], [STATUS], [PROJECT], [CODE], [predicate("created_at", "gt", AT), PROJECT]):
        assert steps(conditions, BY_ID) == steps(conditions, NUMBERED)[:0], conditions


def test_the_first_rows_are_read_before_probes_of_a_server() -> None:
    assert steps([TEXT], BY_ID) == ["Walk 500", "Probe", "Walk 20000", "Probe"]
    assert steps([TEXT], BY_ID, answer=2)[:2] == ["Walk 500", "Walk 5000"]
    assert steps([PROJECT, STATUS], BY_ID) == ["Walk 500", "Matching", "Walk 20000", "Matching"]
    assert steps([TEXT], NUMBERED) == ["Probe", "Walk 20000", "Probe"]
    assert steps([PROJECT, STATUS], NUMBERED) == ["Walk 500", "Matching", "Walk 20000", "Probe", "Matching"]
    assert steps([PROJECT, TEXT], NUMBERED) == ["Probe", "Walk 20000", "Probe"]


def test_many_elements_are_not_read_for_a_page() -> None:
    named = Group("element", (predicate(OF_ELEMENT + "name", "eq", "fit"),))
    assert steps([named, STATUS], BY_ID) == ["Walk 500", "Matching"]
