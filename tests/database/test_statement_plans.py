"""Statements about one pipeline, element or measurement read its rows only, not those of its organization (SQLite)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects import sqlite

from app.auth.caller import LOCAL
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.pagination import Matches, Order
from tests.sharing import in_process

OF_ALL = re.compile(
    r"SCAN (pipeline|pipeline_element|measurement|cell_instance|measurement_file)\b"
    r"|INDEX (?!measurement_by_creation)\w+_by_\w+ \(organization_id=\?\)"
)
"""Steps that read all rows of a table or an organization; a page of measurements is no such step."""
READ = re.compile(r"\s*(SELECT|WITH|UPDATE|DELETE)\b", re.IGNORECASE)
ELEMENTS = [{"name": name, "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a [m]": 1}}} for name in "ab"]
QUERIES = [
    "query ($id: ID!) { pipeline(id: $id) { parameterValues parameters { name } failure { message } can { start } } }",
    "query ($id: ID!) { pipeline(id: $id) { progress { finished } elements(statuses: [PENDING]) { id } } }",
    "query ($id: ID!) { pipeline(id: $id) { parameterSet(format: CSV) { content } } }",
    "query ($of: ID!) { node(id: $of) { ... on PipelineElement { result history job { log { text } } } } }",
    "query ($of: ID!) { nodes(ids: [$of]) { ... on PipelineElement { outcome { __typename } objectives { name } } } }",
    "mutation ($id: ID!) { duplicatePipeline(id: $id) { pipeline { id elements { id } } } }",
    'mutation ($id: ID!) { updatePipeline(id: $id, input: {description: "d"}) { pipeline { id } } }',
    "mutation ($id: ID!) { startPipeline(id: $id) { pipeline { id } } }",
    "mutation ($id: ID!) { cancelPipeline(id: $id) { pipeline { id } } }",
    'mutation ($id: ID!) { rerunPipeline(id: $id, input: {from: "b"}) { pipeline { id } } }',
    "mutation ($id: ID!) { startPipelines(ids: [$id]) { results { pipeline { id } } } }",
    "mutation ($id: ID!) { cancelPipelines(ids: [$id]) { results { pipeline { id } } } }",
    "mutation ($id: ID!) { deletePipeline(id: $id) { deletedPipelineId } }",
    "mutation ($id: ID!) { deletePipelines(ids: [$id]) { results { deletedPipelineId } } }",
    'mutation { createPipeline(input: {projectId: "p", name: "n", elements: [{name: "a", elementType: DATA_FIT, '
    'jobConfig: {data: "db:01a22b2e-9071-7298-97a3-7c92a56b0148"}}]}) { pipeline { id } userErrors { code } } }',
]
MEASUREMENTS = [
    "query ($id: ID!) { measurement(id: $id) { steps cycles downloadUrl series usedBy { nodes { id } totalCount } } }",
    "{ measurements { nodes { id usedBy(first: 1) { nodes { name } totalCount pageInfo { hasNextPage } } } } }",
    "query ($cell: ID!) { cellInstance(id: $cell) { id specification { id } } }",
    'mutation ($id: ID!) { updateMeasurement(id: $id, input: {notes: "n"}) { measurement { id } } }',
    "mutation ($id: ID!) { completeMeasurement(id: $id) { measurement { id } } }",
    'mutation ($cell: ID!) { updateCellInstance(id: $cell, input: {name: "d"}) { cellInstance { id } } }',
    "mutation ($id: ID!) { deleteMeasurement(id: $id) { deletedMeasurementId } }",
    "mutation ($cell: ID!) { deleteCellInstance(id: $cell) { deletedCellInstanceId } }",
    "mutation ($of: ID!) { deleteCellSpecification(id: $of) { deletedCellSpecificationId } }",
]
"""Operations on one measurement, or one cell of a specification."""
PATHS = ["{id}", "{id}/elements", "{id}/result", "elements/{of}", "{id}/parameters?format=csv"]


@pytest.fixture
def statements() -> Iterator[dict[str, Any]]:
    """Statements of all connections of this process, plain ones and those of sessions, with the values of their last
    run."""
    found: dict[str, Any] = {}

    def note(cursor: Any, sql: str, bindings: Any) -> bool:
        found[sql] = bindings
        return True

    def connect(connection: apsw.Connection) -> None:
        connection.exec_trace = note

    def execute(_connection: Any, _cursor: Any, sql: str, bindings: Any, *_: Any) -> None:
        found[sql] = bindings

    apsw.connection_hooks.append(connect)
    event.listen(Engine, "before_cursor_execute", execute)
    yield found
    event.remove(Engine, "before_cursor_execute", execute)
    apsw.connection_hooks.remove(connect)


@pytest.mark.parametrize("plans", [True, False])
async def test_no_statement_about_one_pipeline_reads_others(
    sqlite_url: str, statements: dict[str, Any], plans: bool
) -> None:
    async with in_process(sqlite_url, plans=plans) as api:
        created = await api.create(elements=ELEMENTS)
        id, of = created["id"], created["elements"][0]["id"]
        for path in PATHS:
            await api.http.get(f"/pipelines/{path.format(id=id, of=of)}")
        for query in QUERIES:
            answer = await api.post(query, id=id, of=of)
            assert "errors" not in answer, (query, answer)
        read = _reads(statements)
    assert len(read) > 25
    _require_searches(sqlite_url, read)


@pytest.mark.parametrize("plans", [True, False])
async def test_no_statement_about_one_measurement_reads_others(
    sqlite_url: str, statements: dict[str, Any], plans: bool
) -> None:
    async with in_process(sqlite_url, plans=plans) as api:
        kind = (await api.run("CreateCellSpecification", input={"projectId": "p", "name": "kind"}))[
            "cellSpecification"
        ]["id"]
        cell = (await api.run("CreateCellInstance", input={"cellSpecificationId": kind, "name": "cell"}))[
            "cellInstance"
        ]["id"]
        given = {"name": "m", "cellInstanceId": cell}
        id = (await api.run("CreateMeasurement", input=given))["measurement"]["id"]
        statements.clear()
        for query in MEASUREMENTS:
            answer = await api.post(query, id=id, cell=cell, of=kind)
            assert "errors" not in answer, (query, answer)
        read = _reads(statements)
    assert any("pipeline_measurement" in sql for sql in read)
    _require_searches(sqlite_url, read)


def test_counts_of_several_projects_read_an_index_of_projects(sqlite_template: Path) -> None:
    caller = replace(LOCAL, projects=frozenset(["p", "q"]))
    query = Matches(caller, PipelineFilter(), Order()).counts()
    sql = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    [step] = [step for step in _steps(f"sqlite:///{sqlite_template}", sql, ()) if "pipeline" in step]
    assert "COVERING INDEX pipeline_by_project" in step


def _reads(statements: dict[str, Any]) -> dict[str, Any]:
    return {sql: given for sql, given in statements.items() if READ.match(sql) and "api_key" not in sql}


def _require_searches(url: str, read: dict[str, Any]) -> None:
    for sql, given in read.items():
        steps = _steps(url, sql, given)
        assert not [step for step in steps if OF_ALL.search(step)], (sql, steps)


def _steps(url: str, sql: str, given: Any) -> list[str]:
    database = apsw.Connection(url.removeprefix("sqlite:///"))
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
