"""createPipeline: stored pipelines, and refusals, which name every problem and store nothing."""

from typing import Any

import pytest

from app.auth.caller import Caller
from app.database.writes.inserts import NEW
from app.pipelines.inputs import PipelineCreate
from app.pipelines.service import _new_pipeline
from app.pipelines.transactions.rows import COLUMNS
from tests.api import Api

ENTRY = {"element_type": "entry", "values": {"a": 1}}


async def refused(api: Api, **fields: Any) -> list[tuple[str, list[str]]]:
    payload = await api.run("CreatePipeline", input={"projectId": "p", **fields})
    assert payload["pipeline"] is None
    assert (await api.run("Pipelines"))["totalCount"] == 0
    assert all(error["message"] for error in payload["userErrors"])
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def listed(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {}}} for name in names]


async def test_a_new_pipeline_is_pending_and_knows_its_caller(api: Api) -> None:
    id = (await api.create(name="first", description="why", options={"liveProgressUpdates": False}))["id"]
    pipeline = await api.run("Pipeline", id=id)
    assert pipeline["status"] == "PENDING"
    assert pipeline["isTerminal"] is False
    assert pipeline["description"] == "why"
    assert pipeline["options"] == {"liveProgressUpdates": False}
    assert pipeline["createdAt"] == pipeline["updatedAt"]
    assert len(pipeline["createdAt"]) == len("2026-11-23T10:00:00.000000Z")
    [element] = pipeline["elements"]
    assert element["jobConfig"] == {"values": {"a": 1}}
    assert element["status"] == "PENDING"


@pytest.mark.parametrize("name", [None, "", "  "])
async def test_a_nameless_pipeline_gets_a_name(api: Api, name: str | None) -> None:
    assert (await api.create(name=name))["name"].startswith("Pipeline of 20")


async def test_options_that_are_not_given_are_the_workers_choice(api: Api) -> None:
    pipeline = await api.run("Pipeline", id=(await api.create())["id"])
    assert pipeline["options"] == {"liveProgressUpdates": None}


async def test_no_elements_are_allowed(api: Api) -> None:
    assert (await api.create(elements=[]))["elements"] == []
    assert (await api.create(elements=None, elementsByName={}))["elements"] == []


async def test_250_elements_are_allowed_and_251_are_not(api: Api) -> None:
    by_name = {str(i): ENTRY for i in range(251)}
    assert await refused(api, elementsByName=by_name) == [("INVALID", ["input", "elementsByName"])]
    assert len((await api.create(elements=listed(*map(str, range(250)))))["elements"]) == 250


async def test_elements_come_in_one_form(api: Api) -> None:
    assert await refused(api) == [("INVALID", ["input", "elements"])]
    assert await refused(api, elements=[], elementsByName={}) == [("INVALID", ["input", "elementsByName"])]
    assert await refused(api, elementsByName=[1]) == [("INVALID", ["input", "elementsByName"])]


async def test_every_problem_of_a_list_is_named(api: Api) -> None:
    elements = [
        *listed("", "same", "same", "x" * 256),
        {"name": "b", "elementType": "DATA_FIT", "jobConfig": []},
        {"name": "c", "elementType": "DATA_FIT", "jobConfig": {"element_type": "entry"}},
        {"name": "d", "elementType": "DATA_FIT", "jobConfig": {"element_type": None}},
    ]
    at = ["input", "elements"]
    assert await refused(api, name="n" * 256, description="d" * 10_001, elements=elements) == [
        ("INVALID", ["input", "name"]),
        ("INVALID", ["input", "description"]),
        ("INVALID", [*at, "0", "name"]),
        ("DUPLICATE_NAME", [*at, "2", "name"]),
        ("INVALID", [*at, "3", "name"]),
        ("INVALID", [*at, "4", "jobConfig"]),
        ("INVALID", [*at, "5", "jobConfig", "element_type"]),
        ("INVALID", [*at, "6", "jobConfig", "element_type"]),
    ]


async def test_every_problem_by_name_is_named(api: Api) -> None:
    elements = {" ": ENTRY, "a": None, "b": {}, "c": {"element_type": "fit"}, "d": {"element_type": 5}, "good": ENTRY}
    at = ["input", "elementsByName"]
    assert await refused(api, projectId=" ", elementsByName=elements) == [
        ("INVALID", ["input", "projectId"]),
        ("INVALID", [*at, " "]),
        ("INVALID", [*at, "a"]),
        ("INVALID", [*at, "b", "element_type"]),
        ("INVALID", [*at, "c", "element_type"]),
        ("INVALID", [*at, "d", "element_type"]),
    ]


async def test_the_longest_texts_are_kept(api: Api) -> None:
    created = await api.create(name="é" * 255, description="ß" * 10_000, elements=listed("ü" * 255))
    pipeline = await api.run("Pipeline", id=created["id"])
    assert (pipeline["name"], pipeline["description"]) == ("é" * 255, "ß" * 10_000)
    assert pipeline["elements"][0]["name"] == "ü" * 255


async def test_a_large_configuration_with_long_lists_and_deep_nesting_is_kept(api: Api) -> None:
    deep: Any = 1
    for _ in range(64):
        deep = {"in": deep}
    config = {"data": {"t": [i / 3 for i in range(100_000)], "n": list(range(100_000))}, "deep": deep, "e": -1e-300}
    elements = [{"name": "fit", "elementType": "DATA_FIT", "jobConfig": config}]
    pipeline = await api.run("Pipeline", id=(await api.create(elements=elements))["id"])
    assert pipeline["elements"][0]["jobConfig"] == config


def test_every_value_of_a_new_pipeline_is_written() -> None:
    caller = Caller("o", "u", "e@x.org")
    made = vars(_new_pipeline(caller, PipelineCreate("p", "n", "d", True, [], labels=("a",))))
    assert {name for name in COLUMNS if made[name] is not None} == set(NEW)
