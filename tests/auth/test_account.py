"""Account: projects, actions, nodes and limits of keys, each limited to the projects of its key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.models.tables import Worker
from tests.api import Api
from tests.auth.conftest import Locked

PROJECTS = "{ projects { id counts { count } } }"


async def projects(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(PROJECTS))["projects"]
    return found


async def test_a_reading_key_can_do_nothing(locked: Locked) -> None:
    id = (await (await locked.api()).create())["id"]
    asked = "query ($id: ID!) { pipeline(id: $id) { can { start cancel edit delete rerun } } viewer { canWrite } }"
    found = await (await locked.api(read_only=True)).data(asked, id=id)
    assert not any(found["pipeline"]["can"].values())
    assert found["viewer"] == {"canWrite": False}


async def test_a_key_sees_its_projects_only(locked: Locked) -> None:
    wide, narrow = await locked.api(), await locked.api(projects=["mine", "ours"])
    for name in ("mine", "other", "mine"):
        await wide.create(projectId=name)
    assert [each["id"] for each in await projects(wide)] == ["mine", "other"]
    [mine] = await projects(narrow)
    assert (mine["id"], sum(each["count"] for each in mine["counts"])) == ("mine", 2)
    found = await narrow.data('{ project(id: "other") { id } viewer { projectIds canWrite id } system { queued } }')
    assert found["project"] is None
    assert found["viewer"]["projectIds"] == ["mine", "ours"]
    others = await locked.api(organization="other")
    assert await projects(others) == []
    ids = [(await each.data("{ viewer { id } }"))["viewer"]["id"] for each in (wide, wide, narrow, others)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def test_the_queue_counts_what_the_key_may_see(locked: Locked) -> None:
    wide, narrow = await locked.api(), await locked.api(projects=["mine"])
    for name in ("mine", "other"):
        await wide.run("StartPipeline", id=(await wide.create(projectId=name))["id"])
    queued = [(await each.data("{ system { queued running } }"))["system"] for each in (wide, narrow)]
    assert queued == [{"queued": 2, "running": 0}, {"queued": 1, "running": 0}]


async def test_nodes_come_in_order(locked: Locked) -> None:
    wide, others = await locked.api(), await locked.api(organization="other")
    made = [await wide.create() for _ in range(2)]
    hidden = (await others.create())["id"]
    element = (await wide.run("Pipeline", id=made[0]["id"]))["elements"][0]["id"]
    cell = (await wide.run("CreateCellSpecification", input={"projectId": "p", "name": "c"}))["cellSpecification"]["id"]
    ids = [made[1]["id"], hidden, element, cell, made[0]["id"], "none", element]
    found = await wide.data("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)
    kinds = ["Pipeline", None, "PipelineElement", "CellSpecification", "Pipeline", None, "PipelineElement"]
    assert [each and each["__typename"] for each in found["nodes"]] == kinds
    assert [each and each["id"] for each in found["nodes"]] == [
        id if kind else None for id, kind in zip(ids, kinds, strict=True)
    ]
    assert (await wide.run("Node", id=cell))["__typename"] == "CellSpecification"


async def test_the_rate_limit_is_what_is_charged(locked: Locked) -> None:
    api = await locked.api()
    answer = await api.post("{ rateLimit { cost maxCost limit remaining } pipelines { nodes { id } } }")
    limit, charged = answer["data"]["rateLimit"], answer["extensions"]["cost"]
    assert (limit["cost"], limit["remaining"]) == (charged["requested"], charged["left"])
    assert limit["remaining"] == limit["limit"] - limit["cost"]


async def test_workers_are_those_with_heartbeats(locked: Locked) -> None:
    api = await locked.api()
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)

    async def beat(session: Any) -> None:
        session.add(Worker(id="host-1", heartbeat_at=at))

    await api.write(beat)
    workers = (await api.run("System"))["workers"]
    is_file = locked.app.state.settings.database_url.startswith("sqlite")
    assert workers == (
        [] if is_file else [{"id": "host-1", "heartbeatAt": "2026-11-23T10:00:00.000000Z", "running": 0}]
    )
