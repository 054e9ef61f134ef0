"""Isolation of organizations: no request with ids of another organization reads or changes its data."""

from __future__ import annotations

from typing import Any

import graphql
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, nodes
from sqlalchemy import text

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from app.database.interface import Database
from app.models.columns import now
from app.models.enums import PipelineStatus
from app.models.tables import Checkpoint, Pipeline, PipelineElement
from tests.api import Api
from tests.schema.test_fuzz import LONG, OPERATIONS
from tests.sharing import in_process

MARK = "of-their-own"
"""Marker in every text of the other organization."""
ROUTES = [
    ("GET", "/pipelines/{}"),
    ("GET", "/pipelines/{}/result"),
    ("GET", "/pipelines/{}/elements"),
    ("GET", "/pipelines/elements/{}"),
    ("PATCH", "/pipelines/{}"),
    ("POST", "/pipelines/{}/start"),
    ("POST", "/pipelines/{}/cancel"),
    ("POST", "/pipelines/{}/rerun"),
    ("DELETE", "/pipelines/{}"),
]


async def furnish(theirs: Api) -> list[str]:
    """Create pipelines in every status, with all data of runs; return the ids of the pipelines, elements and jobs."""
    ids: list[str] = []
    for status in PipelineStatus:
        elements = [{"name": MARK, "elementType": "DATA_FIT", "jobConfig": {MARK: MARK}}]
        pipeline = await theirs.create(name=MARK, description=MARK, projectId=MARK, elements=elements)
        job = f"job-{pipeline['id']}"
        ids += [pipeline["id"], pipeline["elements"][0]["id"], job]
        await theirs._database.write(ran(pipeline, status, job))  # type: ignore[union-attr]
    return ids


def ran(pipeline: dict[str, Any], status: PipelineStatus, job: str) -> Any:
    async def work(session: Any) -> None:
        row = await session.get_one(Pipeline, pipeline["id"])
        row.status, row.error, row.created_by_email = status, MARK, MARK
        element = await session.get_one(PipelineElement, pipeline["elements"][0]["id"])
        element.job_id, element.error, element.attempt = job, MARK, 1
        element.result, element.error_detail = (f'{{"parameter_values": {{"{MARK}": 1}}}}',) * 2
        parameters = f'{{"{MARK}": 1}}'
        session.add(Checkpoint(element_id=element.id, number=1, at=now(), cost=1.0, parameters=parameters))

    return work


async def everything(database: Database) -> list[Any]:
    """Return all rows of the other organization."""
    async with database.read() as session:
        found = []
        for table in ("pipeline", "pipeline_element"):
            query = text(f"SELECT * FROM {table} WHERE organization_id = 'theirs' ORDER BY id")
            found += [tuple(map(str, row)) for row in await session.exec(query)]  # type: ignore[call-overload]
        return found


class Two:
    """Two organizations at one server."""

    def __init__(self, portal: BlockingPortal, api: Api, database_url: str) -> None:
        self._portal, self._api = portal, api
        self.keys = portal.call(self._make, database_url)
        self.ids: list[str] = portal.call(self._seed)

    async def _make(self, database_url: str) -> dict[str, str]:
        async with open_keys(parsed(database_url)) as store:
            return {name: await store.create(name) for name in ("theirs", "ours")}

    async def _seed(self) -> list[str]:
        self._api.http.headers["x-api-key"] = self.keys["theirs"]
        return await furnish(self._api)

    def ask(self, who: str, query: str) -> str:
        async def send() -> str:
            self._api.http.headers["x-api-key"] = self.keys[who]
            answer = await self._api.http.post("/graphql", json={"query": query})
            assert answer.status_code < 500, answer.text
            return answer.text

        return self._portal.call(send)

    def request(self, who: str, method: str, path: str) -> tuple[int, str]:
        async def send() -> tuple[int, str]:
            self._api.http.headers["x-api-key"] = self.keys[who]
            json = {"name": "changed"} if method == "PATCH" else None
            answer = await self._api.http.request(method, path, json=json)
            return answer.status_code, answer.text

        return self._portal.call(send)

    def rows(self) -> list[Any]:
        assert self._api._database is not None
        return self._portal.call(everything, self._api._database)


@pytest.fixture
def two(database_url: str) -> Any:
    patient = in_process(database_url, request_timeout=120)  # a generated operation may be large, the machine busy
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(patient) as api:
        yield Two(portal, api, database_url)


def aimed(document: graphql.DocumentNode, ids: list[str], choice: int) -> str:
    """Return the document with ids of the other organization in every `id` and `ids` argument."""

    class Aim(graphql.Visitor):
        def enter_argument(_, node: graphql.ArgumentNode, *__: Any) -> Any:
            if node.name.value == "id":
                return graphql.ArgumentNode(name=node.name, value=nodes.String(ids[choice % len(ids)]))
            if node.name.value == "ids":
                values = tuple(map(nodes.String, ids))
                return graphql.ArgumentNode(name=node.name, value=graphql.ListValueNode(values=values))
            return None

    return graphql.print_ast(graphql.visit(document, Aim()))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # Hypothesis prints each document for no reader
@pytest.mark.parametrize("examples", [100, pytest.param(400, marks=LONG)])
def test_no_operation_crosses(two: Two, examples: int) -> None:
    before, seen = two.rows(), []
    assert MARK in str(before)

    @settings(max_examples=examples, phases=[Phase.generate])
    @given(OPERATIONS[Mode.POSITIVE], st.integers(0, 1000))
    def send(document: graphql.DocumentNode, choice: int) -> None:
        query = aimed(document, two.ids, choice)
        assert MARK not in two.ask("ours", query), query
        if query.lstrip().startswith(("{", "query")):
            seen.append(MARK in two.ask("theirs", query))

    send()
    assert two.rows() == before
    assert sum(seen) > 5, "their own key must see what ours does not"


def test_no_route_crosses(two: Two) -> None:
    before = two.rows()
    for id in two.ids:
        for method, path in ROUTES:
            status, said = two.request("ours", method, path.format(id))
            assert status == 404
            assert MARK not in said
    assert MARK not in two.request("ours", "GET", "/pipelines?limit=100")[1]
    assert MARK in two.request("theirs", "GET", "/pipelines?limit=100")[1]
    assert two.rows() == before
