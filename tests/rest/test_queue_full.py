"""A full queue refuses starts by both APIs, and shows the place of each pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest

from app.auth.caller import LOCAL
from app.errors import Rejected
from app.main import create_app
from app.pipelines import lifecycle
from app.settings import Settings
from tests.api import Api

BODY = {"project_id": "p", "elements": {"a": {"element_type": "entry", "values": {}}}}
START = "mutation($id: ID!) { startPipeline(id: $id) { pipeline { queuePosition } userErrors { code message field } } }"
POSITIONS = "{ pipelines(first: 10) { nodes { id status queuePosition } } }"


@pytest.fixture(params=[False, True], ids=["start", "start-on-create"])
def starts(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


@pytest.fixture
async def full(database_url: str, starts: bool) -> AsyncIterator[Api]:
    """API of a server without workers whose queue is full with two pipelines."""
    app = create_app(Settings(database_url=database_url, workers=0, max_queued=2, start_on_create=starts))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        api = Api(http, app.state.services.database)
        for position in (1, 2):
            id = (await api.create())["id"]
            payload = (await api.data(START, id=id))["startPipeline"]
            assert payload == {"pipeline": {"queuePosition": position}, "userErrors": []}
        yield api


async def test_a_start_is_refused_with_the_limit(full: Api, starts: bool) -> None:
    id = (await full.create())["id"]
    [error] = (await full.data(START, id=id))["startPipeline"]["userErrors"]
    assert (error["code"], error["field"]) == ("QUEUE_FULL", ["id"])
    assert "has 2 queued pipelines, its maximum (VOLTGRAPH_MAX_QUEUED)" in error["message"]
    refused = await full.http.post(f"/pipelines/{id}/start")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert refused.json()["error_code"] == "QUEUE_FULL"
    assert refused.json()["message"] == error["message"]


async def test_nothing_is_created_that_cannot_start(full: Api, starts: bool) -> None:
    created = await full.http.post("/pipelines", json=BODY)
    assert created.status_code == (429 if starts else 201)
    listed: list[Any] = (await full.data(POSITIONS))["pipelines"]["nodes"]
    assert len(listed) == (2 if starts else 3)
    assert [each["queuePosition"] for each in listed if each["status"] == "PENDING"] == [None] * (not starts)


async def test_starts_and_cancellations_of_one_moment_obey_the_limit(sqlite_url: str) -> None:
    app = create_app(Settings(database_url=sqlite_url, workers=0))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        database = app.state.services.database
        a, b, c, d, e = [(await Api(http, database).create())["id"] for _ in range(5)]
        start = partial(lifecycle.start, database, lifecycle.QueueLimits(3), LOCAL)
        calls = [start(a), start(b), start(c), start(d), lifecycle.cancel(database, LOCAL, a), start(e)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, Rejected) for each in outcomes] == [False, False, False, True, False, False]


async def test_a_canceled_pipeline_makes_room(full: Api) -> None:
    [second, first] = (await full.data(POSITIONS))["pipelines"]["nodes"]
    assert (first["queuePosition"], second["queuePosition"]) == (1, 2)
    await full.run("CancelPipeline", id=first["id"])
    [second, first] = (await full.data(POSITIONS))["pipelines"]["nodes"]
    assert (first["queuePosition"], second["queuePosition"]) == (None, 1)
    id = (await full.create())["id"]
    assert (await full.http.post(f"/pipelines/{id}/start")).status_code == 200
