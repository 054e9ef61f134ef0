"""updatePipeline, duplicatePipeline and deletePipeline."""

from typing import Any

import orjson
import pytest

from app.models.enums import PipelineStatus
from app.pipelines.transactions.statements import SHORT_CONFIG
from tests.api import Api

UPDATE = """mutation ($id: ID!, $input: UpdatePipelineInput!) {
  updatePipeline(id: $id, input: $input) {
    pipeline { id name description updatedAt options { liveProgressUpdates } elements { id name jobConfig } }
    userErrors { code field }
  }
}"""
TWO = [{"name": name, "elementType": "CALCULATION", "jobConfig": {"n": name}} for name in ("one", "two")]


async def update(api: Api, id: str, **fields: Any) -> Any:
    return (await api.data(UPDATE, id=id, input=fields))["updatePipeline"]


def errors(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


async def test_what_is_left_out_is_kept(api: Api) -> None:
    created = await api.create(name="before", description="why", options={"liveProgressUpdates": True})
    changed = (await update(api, created["id"], name="after"))["pipeline"]
    assert (changed["name"], changed["description"]) == ("after", "why")
    assert changed["options"] == {"liveProgressUpdates": True}
    assert [e["id"] for e in changed["elements"]] == [e["id"] for e in created["elements"]]
    assert changed["updatedAt"] > created["createdAt"]


async def test_null_clears_a_description_and_an_option(api: Api) -> None:
    id = (await api.create(description="why", options={"liveProgressUpdates": True}))["id"]
    changed = (await update(api, id, description=None, options={"liveProgressUpdates": None}))["pipeline"]
    assert (changed["description"], changed["options"]) == (None, {"liveProgressUpdates": None})


@pytest.mark.parametrize("name", [None, "", " ", "n" * 256])
async def test_a_name_stays_a_name(api: Api, name: str | None) -> None:
    id = (await api.create(name="kept"))["id"]
    assert errors(await update(api, id, name=name, description="new")) == [("INVALID", ["input", "name"])]
    assert (await api.run("Pipeline", id=id))["description"] is None


async def test_elements_are_replaced_as_a_whole(api: Api) -> None:
    id = (await api.create())["id"]
    changed = (await update(api, id, elements=TWO))["pipeline"]
    assert [(e["name"], e["jobConfig"]) for e in changed["elements"]] == [("one", {"n": "one"}), ("two", {"n": "two"})]
    by_name = {"two": {"element_type": "validation"}}
    assert [e["name"] for e in (await update(api, id, elementsByName=by_name))["pipeline"]["elements"]] == ["two"]


async def test_bad_elements_change_nothing(api: Api) -> None:
    id = (await api.create(name="kept"))["id"]
    payload = await update(api, id, name="lost", elements=[*TWO, *TWO], description="d" * 10_001)
    assert errors(payload) == [
        ("INVALID", ["input", "description"]),
        ("DUPLICATE_NAME", ["input", "elements", "2", "name"]),
        ("DUPLICATE_NAME", ["input", "elements", "3", "name"]),
    ]
    pipeline = await api.run("Pipeline", id=id)
    assert (pipeline["name"], len(pipeline["elements"])) == ("kept", 1)


async def test_the_new_name_is_found_and_the_old_one_is_not(api: Api) -> None:
    id = (await api.create(name="before"))["id"]
    await update(api, id, name="AFTER")
    assert (await api.run("Pipelines", filter={"nameContains": "after"}))["totalCount"] == 1
    assert (await api.run("Pipelines", filter={"nameContains": "before"}))["totalCount"] == 0


async def test_a_started_pipeline_changes_only_its_texts(api: Api) -> None:
    id = (await api.create())["id"]
    await api.set_status(id, PipelineStatus.RUNNING)
    assert errors(await update(api, id, elements=TWO)) == [("INVALID_STATE", ["id"])]
    assert errors(await update(api, id, options={"liveProgressUpdates": True})) == [("INVALID_STATE", ["id"])]
    assert (await update(api, id, name="renamed"))["pipeline"]["name"] == "renamed"
    assert errors(await api.run("DeletePipeline", id=id)) == [("INVALID_STATE", ["id"])]
    await api.set_status(id, PipelineStatus.COMPLETED)
    assert errors(await update(api, id, elements=TWO)) == [("INVALID_STATE", ["id"])]
    assert (await api.run("DeletePipeline", id=id))["deletedPipelineId"] == id


async def test_a_copy_is_pending_and_has_everything(api: Api) -> None:
    source = await api.create(name="run", description="why", elements=TWO, options={"liveProgressUpdates": True})
    copied = (await api.run("DuplicatePipeline", id=source["id"]))["pipeline"]
    assert copied["name"] == "run (copy)"
    first, second = await api.run("Pipeline", id=source["id"]), await api.run("Pipeline", id=copied["id"])
    for pipeline in (first, second):
        for gone in ("id", "name", "createdAt", "updatedAt"):
            del pipeline[gone]
        for element in pipeline["elements"]:
            del element["id"]
    assert second == first


@pytest.mark.parametrize("size", [SHORT_CONFIG, SHORT_CONFIG + 1])
async def test_a_copy_has_short_and_long_configurations(api: Api, size: int) -> None:
    config = {"a": "é" * ((size - len('{"a":""}')) // 2) + "x" * (size % 2)}
    elements = [{"name": "long", "elementType": "DIRECT_ENTRY", "jobConfig": config}, *TWO]
    source = (await api.create(elements=elements))["id"]
    copied = (await api.run("DuplicatePipeline", id=source))["pipeline"]["id"]
    first, second = [
        [
            (each["name"], each["elementType"], each["jobConfig"])
            for each in (await api.run("Pipeline", id=id))["elements"]
        ]
        for id in (source, copied)
    ]
    assert second == first
    assert len(orjson.dumps(first[0][2])) == size


async def test_a_copy_takes_a_name_and_never_too_long_a_one(api: Api) -> None:
    id = (await api.create(name="x" * 255))["id"]
    assert (await api.run("DuplicatePipeline", id=id, name="new"))["pipeline"]["name"] == "new"
    name = (await api.run("DuplicatePipeline", id=id, name=" "))["pipeline"]["name"]
    assert (len(name), name[-7:]) == (255, " (copy)")
    assert errors(await api.run("DuplicatePipeline", id=id, name="n" * 256)) == [("INVALID", ["name"])]


async def test_a_deleted_pipeline_is_gone_with_its_elements(api: Api) -> None:
    created = await api.create()
    assert (await api.run("DeletePipeline", id=created["id"]))["deletedPipelineId"] == created["id"]
    assert await api.run("Pipeline", id=created["id"]) is None
    assert await api.run("Node", id=created["elements"][0]["id"]) is None
    assert errors(await api.run("DeletePipeline", id=created["id"])) == [("NOT_FOUND", ["id"])]


async def test_an_unknown_id_is_null_in_a_query_and_not_found_in_a_mutation(api: Api) -> None:
    for id in ("", "nope", "00000000-0000-7000-8000-000000000000", "%", "x" * 5000):
        assert await api.run("Pipeline", id=id) is None
        assert await api.run("Node", id=id) is None
        assert errors(await update(api, id, name="new")) == [("NOT_FOUND", ["id"])]
        assert errors(await api.run("DuplicatePipeline", id=id)) == [("NOT_FOUND", ["id"])]
        assert errors(await api.run("DeletePipeline", id=id)) == [("NOT_FOUND", ["id"])]
