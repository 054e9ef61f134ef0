"""Checks see what their caller may see, and are charged to the caller's key."""

from __future__ import annotations

from tests.auth.conftest import Locked
from tests.auth.conftest import locked as locked
from tests.execution.checking.conftest import pipeline

ADD = """mutation($input: CreateMeasurementInput!) { createMeasurement(input: $input) {
  measurement { id status } userErrors { message } } }"""


def reading(*ids: str) -> dict[str, object]:
    return pipeline(*({"data": f"db:{id}"} for id in ids))


async def test_a_reading_key_checks_and_creates_nothing(locked: Locked) -> None:
    reader = await locked.api(read_only=True)
    assert (await reader.run("CheckPipeline", input=pipeline({})))["isValid"]
    payload = await reader.run("CreatePipeline", input=pipeline({}) | {"check": True})
    assert [error["code"] for error in payload["userErrors"]] == ["FORBIDDEN"]


async def test_a_narrowed_key_checks_in_its_projects_only(locked: Locked) -> None:
    narrow = await locked.api(projects=["mine"])
    found = await narrow.run("CheckPipeline", input=pipeline({}))
    created = await narrow.run("CreatePipeline", input=pipeline({}) | {"check": True})
    assert [(e["code"], e["field"]) for e in found["userErrors"]] == [("FORBIDDEN", ["input", "projectId"])]
    assert created["userErrors"] == found["userErrors"]
    assert (await narrow.run("CheckPipeline", input=pipeline({}) | {"projectId": "mine"}))["isValid"]
    response = await narrow.http.post("/pipelines/check", json={"project_id": "project", "elements": {}})
    assert (response.status_code, response.json()["error_code"]) == (403, "FORBIDDEN")


async def test_measurements_of_others_do_not_exist(locked: Locked) -> None:
    ours, theirs = await locked.api(), await locked.api("theirs")
    narrow = await locked.api(projects=["mine"])
    made = await ours.data(ADD, input={"projectId": "project", "name": "m", "format": "CSV"})
    id = made["createMeasurement"]["measurement"]["id"]
    for api in (theirs, narrow):
        given = reading(id) | {"projectId": "mine"}
        [problem] = (await api.run("CheckPipeline", input=given))["problems"]
        assert problem == {"element": "e0", "path": ["data"], "message": f"The measurement {id} does not exist."}
    [problem] = (await ours.run("CheckPipeline", input=reading(id)))["problems"]
    assert "is UPLOADING" in problem["message"]


async def test_the_time_of_checks_is_charged(locked: Locked) -> None:
    api = await locked.api()
    limiter = locked.app.state.services.rate_limiter
    await api.run("CheckPipeline", input=pipeline({}))
    [key] = limiter._buckets
    assert limiter._buckets[key][0] < limiter._most - 300  # the operation itself costs less
    limiter._buckets[key] = -1e6, limiter._buckets[key][1]
    response = await api.http.post("/pipelines/check", json={"project_id": "p", "elements": {}})
    assert response.status_code == 429
