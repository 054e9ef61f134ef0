"""Statements about one pipeline or element read its rows only, not those of its organization, on SQLite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import apsw
import pytest
from sqlalchemy import Engine, event

from tests.sharing import in_process

OF_ALL = re.compile(r"SCAN (pipeline|pipeline_element|measurement)\b|INDEX \w+_by_\w+ \(organization_id=\?\)")
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
        read = {sql: given for sql, given in statements.items() if READ.match(sql) and "api_key" not in sql}
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    assert len(read) > 25
    for sql, given in read.items():
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
        assert not [step for step in steps if OF_ALL.search(step)], (sql, steps)
