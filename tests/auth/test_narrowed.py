"""Keys limited to projects or to reading."""

from typing import Any

import pytest

from tests import completed
from tests.api import Api, operation
from tests.auth.conftest import Locked

CHANGES = [
    *("UpdatePipeline", "StartPipeline", "CancelPipeline", "DuplicatePipeline", "RerunPipeline", "DeletePipeline"),
]


async def refused(api: Api, name: str, **variables: Any) -> list[dict[str, Any]]:
    [payload] = (await api.data(operation(name), **variables)).values()
    errors: list[dict[str, Any]] = payload["userErrors"]
    return errors


def creating(project: str) -> dict[str, Any]:
    return {"projectId": project, "elements": []}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_reading_key_changes_nothing(locked: Locked, name: str) -> None:
    id = (await (await locked.api()).create())["id"]
    reader = await locked.api(read_only=True)
    before = await reader.run("Pipeline", id=id)
    [error] = await refused(reader, name, id=id, input={"name": "changed"})
    assert error["code"] == "FORBIDDEN"
    assert await reader.run("Pipeline", id=id) == before


async def test_a_reading_key_creates_nothing(locked: Locked) -> None:
    reader = await locked.api(read_only=True)
    [error] = await refused(reader, "CreatePipeline", input=creating("p"))
    assert error["code"] == "FORBIDDEN"
    answer = await reader.http.post("/pipelines", json={"project_id": "p", "elements": {}})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")


async def test_a_project_that_the_key_may_not_use_is_forbidden(locked: Locked) -> None:
    narrow = await locked.api(projects=["mine"])
    [error] = await refused(narrow, "CreatePipeline", input=creating("other"))
    assert (error["code"], error["field"]) == ("FORBIDDEN", ["input", "projectId"])
    answer = await narrow.http.post("/pipelines", json={"project_id": "other", "elements": {}})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")
    for field in ("pipelines { totalCount }", "pipelineCounts { count }"):
        name, _, selection = field.partition(" ")
        read = await narrow.post(f'{{ {name}(filter: {{projectId: "other"}}) {selection} }}')
        assert read["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    for query in ({"project_id": "other"}, {"project_id": "eq.other"}, {"project_id": "other", "status": "none"}):
        assert (await narrow.http.get("/pipelines", params=query)).status_code == 403


async def test_other_projects_are_not_there(locked: Locked) -> None:
    wide, narrow = await locked.api(), await locked.api(projects=["mine", "ours"])
    other = await wide.create(projectId="other")
    mine = await wide.create(projectId="mine")
    assert await narrow.run("Pipeline", id=other["id"]) is None
    assert (await narrow.run("Pipeline", id=mine["id"]))["id"] == mine["id"]
    assert [node["id"] for node in (await narrow.run("Pipelines"))["nodes"]] == [mine["id"]]
    for name in CHANGES:
        [error] = await refused(narrow, name, id=other["id"], input={"name": "changed"})
        assert error["code"] == "NOT_FOUND"
    for element in other["elements"]:
        assert await narrow.run("Node", id=element["id"]) is None
        assert (await narrow.http.get(f"/pipelines/elements/{element['id']}")).status_code == 404


async def test_an_idempotency_key_of_a_hidden_project_tells_nothing(locked: Locked) -> None:
    wide, narrow = await locked.api(), await locked.api(projects=["mine"])
    hidden = await wide.create(projectId="other", idempotencyKey="k", name="hidden")
    mine = await narrow.create(projectId="mine", idempotencyKey="k", name="mine")
    assert mine["id"] != hidden["id"]
    again = await narrow.http.post(
        "/pipelines", json={"project_id": "mine", "elements": {}}, headers={"idempotency-key": "k"}
    )
    assert (again.status_code, again.json()["error_code"]) == (409, "CONFLICT")  # by its own, not by the hidden one
    await wide.run("DeletePipeline", id=hidden["id"])
    other = await narrow.http.post(
        "/pipelines", json={"project_id": "mine", "elements": {}}, headers={"idempotency-key": "unused"}
    )
    assert other.status_code == 201


async def test_results_of_other_projects_are_not_there(locked: Locked) -> None:
    wide, narrow = await locked.api(), await locked.api(projects=["mine"])
    theirs, ours = [await completed.completed(wide, completed.series(), projectId=each) for each in ("other", "mine")]
    for name in ("Results", "Objectives", "Parameters"):
        assert await narrow.run(name, id=theirs["pipeline_id"]) is None
        assert await (await locked.api("others")).run(name, id=ours["pipeline_id"]) is None
    [element] = (await narrow.data(completed.EVERYTHING, id=ours["pipeline_id"]))["pipeline"]["elements"]
    assert (element["outcome"]["parameters"], element["objectives"][0]["name"]) == ([], "1 C")
