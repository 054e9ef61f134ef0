"""SQLite reads lists by indexes, whatever their filter and order: no statement scans pipelines or elements."""

from __future__ import annotations

import re
from typing import Any

import apsw
import pytest

from app.database.sqlite import reader
from app.pipelines.lists import probes
from tests.api import Api
from tests.sharing import in_process

QUERY = """query ($f: PipelineFilter, $o: PipelineOrder) {
  pipelines(filter: $f, orderBy: $o) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } }
  pipelineCounts(filter: $f) { status count }
}"""
SCANNED = re.compile(r"SCAN (pipeline|pipeline_element|e)\b")
TEXTS = ("none at all", "zz", "z", "before")
FILTERS: list[dict[str, Any]] = [
    *({name: text} for name in ("nameContains", "nameStartsWith", "descriptionContains") for text in TEXTS),
    {"element": {"name": "none"}},
    {"element": {"nameContains": "none"}},
    {"element": {"types": ["VALIDATION"], "statuses": ["FAILED"]}},
    {"elementTypes": ["DATA_FIT"]},
    {"or": [{"nameContains": "none"}, {"descriptionContains": "none"}]},
    {"projectId": "p"},
    {"statuses": ["PENDING", "COMPLETED"]},
    {"errorCodes": ["SOLVER_ERROR"]},
    {"createdByEmail": "none"},
]
ORDERS = ["CREATED_AT", "DURATION", "STARTED_AT", "FINISHED_AT"]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Collect the statements that plans run."""
    found: list[tuple[str, Any]] = []
    drive = reader._drive

    def recorded(steps: Any, execute: Any) -> Any:
        def run(sql: str, parameters: Any) -> Any:
            found.append((sql, parameters))
            return execute(sql, parameters)

        return drive(steps, run)

    monkeypatch.setattr(reader, "_drive", recorded)
    return found


def plan(database: apsw.Connection, sql: str, parameters: Any) -> list[str]:
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", tuple(parameters))]


@pytest.mark.parametrize("few", [0, 1000])
async def test_no_filter_scans(
    sqlite_url: str, statements: list[tuple[str, Any]], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "FEW", few)
    async with in_process(sqlite_url) as api:
        await api.create(name="before", description="before", elements=[])
        for number, filter in enumerate(FILTERS):
            order = {"field": ORDERS[number % len(ORDERS)], "direction": ("ASC", "DESC")[number % 2]}
            await api.data(QUERY, f=filter, o=order)
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    assert len(statements) > 2 * len(FILTERS)
    for statement in dict.fromkeys((sql, tuple(given)) for sql, given in statements):
        assert not [line for line in plan(database, *statement) if SCANNED.match(line)], statement


@pytest.mark.parametrize("column", ["duration", "started_at", "finished_at"])
async def test_a_page_of_a_status_needs_no_sort(sqlite_url: str, column: str) -> None:
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    values = f"{column} IS NOT NULL AND organization_id = 'local' AND status = 'COMPLETED'"
    [line] = plan(database, f"SELECT id FROM pipeline WHERE {values} ORDER BY {column}, id LIMIT 20", ())
    assert "pipeline_by_status_" in line


async def test_changed_texts_leave_the_index(api: Api) -> None:
    ids = [(await api.create(name=f"old {n}", description="An OLD text"))["id"] for n in range(3)]
    await api.run("UpdatePipeline", id=ids[0], input={"description": None})
    await api.run("UpdatePipeline", id=ids[1], input={"description": "Other", "name": "other"})
    find = "query ($f: PipelineFilter) { pipelines(filter: $f) { nodes { id } } }"

    async def found(**filter: Any) -> list[str]:
        return [node["id"] for node in (await api.data(find, f=filter))["pipelines"]["nodes"]]

    assert await found(descriptionContains="old") == ids[2:]
    assert await found(descriptionContains="r") == ids[1:2]
    assert await found(nameStartsWith="ot") == ids[1:2]
    await api.run("DeletePipeline", id=ids[2])
    assert await found(descriptionContains="old") == []
    assert await found(nameContains="ld") == ids[:1]
