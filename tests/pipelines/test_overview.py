"""Projects, actions, elements by arguments, and costs, as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.enums import PipelineStatus
from app.pipelines.overview.actions import STATUSES
from tests.api import Api

PROJECTS = "{ projects { id updatedAt counts { status count } } }"
ELEMENTS = [
    {"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {}},
    {"name": "b", "elementType": "DATA_FIT", "jobConfig": {}},
    {"name": "c", "elementType": "VALIDATION", "jobConfig": {}},
]


async def projects(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(PROJECTS))["projects"]
    return found


async def test_projects_come_by_their_newest_change(api: Api) -> None:
    assert await projects(api) == []
    made = {name: await api.create(projectId=name) for name in ("b", "a", "c")}
    await api.create(projectId="a")
    assert [each["id"] for each in await projects(api)] == ["a", "c", "b"]
    changed = await api.run("UpdatePipeline", id=made["b"]["id"], input={"name": "changed"})
    [first, *_] = await projects(api)
    assert (first["id"], first["updatedAt"]) == ("b", changed["pipeline"]["updatedAt"])
    counts = {each["id"]: sum(count["count"] for count in each["counts"]) for each in await projects(api)}
    assert counts == {"a": 2, "b": 1, "c": 1}
    assert [each["id"] for each in (await api.data("{ projects(first: 1) { id } }"))["projects"]] == ["b"]


async def test_a_project_goes_with_its_last_pipeline(api: Api) -> None:
    id = (await api.create(projectId="a"))["id"]
    asked = 'query ($id: ID!) { project(id: "a") { id } pipeline(id: $id) { project { id updatedAt } } }'
    found = await api.data(asked, id=id)
    assert found["project"] == {"id": "a"}
    assert found["pipeline"]["project"]["id"] == "a"
    await api.run("DeletePipeline", id=id)
    assert await api.data(asked, id=id) == {"project": None, "pipeline": None}


async def test_counts_after_a_change(api: Api) -> None:
    first, second = [(await api.create())["id"] for _ in range(2)]
    query = "query { pipelines { totalCount } pipelineCounts { status count } }"
    deleted = await api.data(f'mutation {{ deletePipeline(id: "{first}") {{ deletedPipelineId {query} }} }}')
    assert deleted["deletePipeline"]["query"]["pipelines"] == {"totalCount": 1}
    both = await api.data(
        f'mutation {{ a: cancelPipeline(id: "{second}") {{ {query} }} '
        f'b: deletePipeline(id: "{second}") {{ {query} }} }}'
    )
    totals = [both[key]["query"]["pipelines"]["totalCount"] for key in "ab"]
    canceled = [
        {each["status"]: each["count"] for each in both[key]["query"]["pipelineCounts"]}["CANCELED"] for key in "ab"
    ]
    assert (totals, canceled) == ([1, 0], [1, 0])


@pytest.mark.parametrize("status", PipelineStatus, ids=lambda status: status.name)
async def test_actions_are_what_is_not_refused(api: Api, status: PipelineStatus) -> None:
    can = {}
    for action in STATUSES:
        id = (await api.create(elements=ELEMENTS))["id"]
        await api.set_status(id, status)
        found = (await api.data("query ($id: ID!) { pipeline(id: $id) { can { " + action + " } } }", id=id))["pipeline"]
        can[action] = found["can"][action]
        if action == "rerun":
            assert can[action] is status.is_terminal
            continue
        name = {"start": "Start", "cancel": "Cancel", "edit": "Update", "delete": "Delete"}[action]
        payload = await api.run(f"{name}Pipeline", id=id, input={"options": {"liveProgressUpdates": True}})
        refused = bool(payload["userErrors"])
        unchanged = not refused and action in ("start", "cancel") and payload["pipeline"]["status"] == status.name
        assert can[action] is not (refused or unchanged), (action, payload)


@pytest.mark.parametrize("count", [0, 101])
async def test_the_number_of_nodes_is_limited(api: Api, count: int) -> None:
    answer = await api.post("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * count)
    [error] = answer["errors"]
    assert error["message"] == f"`ids` takes 1 to 100 ids, not {count}."


async def test_elements_are_selected(api: Api) -> None:
    id = (await api.create(elements=ELEMENTS))["id"]
    found = await api.data(
        """query ($id: ID!) { pipeline(id: $id) {
          both: elements(names: ["c", "a", "none"]) { name pipeline { id } }
          fits: elements(types: [DATA_FIT]) { name }
          none: elements(types: [DATA_FIT], statuses: [RUNNING]) { name }
        } }""",
        id=id,
    )
    assert found["pipeline"] == {
        "both": [{"name": "a", "pipeline": {"id": id}}, {"name": "c", "pipeline": {"id": id}}],
        "fits": [{"name": "b"}],
        "none": [],
    }


async def test_without_keys_nothing_is_left_to_spend(api: Api) -> None:
    found = await api.run("RateLimit")
    assert (found["cost"], found["maxCost"], found["remaining"]) == (5, 5_000, None)


async def test_more_ids_cost_more(api: Api) -> None:
    costs = []
    for ids in (["x"], ["x"] * 100, "x"):
        query = "query ($ids: [ID!]!) { rateLimit { cost } nodes(ids: $ids) { id } }"
        costs.append((await api.data(query, ids=ids))["rateLimit"]["cost"])
    assert costs == [4, 103, 4]
    literal = await api.data('{ rateLimit { cost } nodes(ids: ["x", "y"]) { id } projects(first: 3) { id } }')
    assert literal["rateLimit"]["cost"] == 2 + 3 + 51 + 3


async def test_the_server_tells_its_state(api: Api) -> None:
    await api.run("StartPipeline", id=(await api.create())["id"])
    found = await api.run("System")
    assert (found["queued"], found["running"], found["hasKeys"]) == (1, 0, False)
    assert found["limits"]["cost"] == 5_000
    assert found["limits"]["projectIdLength"] == 255
