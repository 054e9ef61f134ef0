"""POST /pipelines: created pipelines."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from tests.api import CONFIGURATIONS, Api
from tests.rest.requests import ENTRY, JSON, created, get, pipeline

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_the_answer_is_the_new_pending_pipeline(shared: Api) -> None:
    answer = await shared.http.post("/pipelines", json=pipeline(name="fit", description="of a cell"))
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    detail = answer.json()
    [element] = detail["elements"]
    assert UUID7.fullmatch(detail["id"])
    assert INSTANT.fullmatch(detail["created_at"])
    assert (detail["project_id"], detail["name"], detail["description"]) == ("project", "fit", "of a cell")
    assert (detail["status"], detail["is_terminal"], detail["is_failed"]) == ("pending", False, False)
    assert (element["name"], element["element_order"], element["status"]) == ("known", 1, "pending")
    assert (element["pipeline_id"], element["job_config"]) == (detail["id"], ENTRY)


async def test_elements_run_in_the_order_they_came_in(shared: Api) -> None:
    names = ["z", "10", "2", "a", "é", "A", "1"]
    detail = await created(shared, elements=dict.fromkeys(names, ENTRY))
    assert [element["name"] for element in detail["elements"]] == names
    assert [element["element_order"] for element in detail["elements"]] == [1, 2, 3, 4, 5, 6, 7]


async def test_a_pipeline_may_have_no_elements(shared: Api) -> None:
    assert (await created(shared, elements={}))["elements"] == []


@pytest.mark.parametrize("name", [None, "", " \t"])
async def test_a_nameless_pipeline_gets_a_name(shared: Api, name: str | None) -> None:
    assert (await created(shared, name=name))["name"].startswith("Pipeline of 20")


@pytest.mark.parametrize("given", [None, True, False])
async def test_the_option_is_kept(shared: Api, given: bool | None) -> None:
    detail = await created(shared, options={"live_progress_updates": given})
    assert detail["options"] == {"live_progress_updates": given}


async def test_unknown_properties_are_ignored(shared: Api) -> None:
    detail = await created(shared, status="completed", id="mine", options={"priority": 9}, anything={"a": [1]})
    assert detail["status"] == "pending"
    assert detail["id"] != "mine"
    assert detail["options"] == {"live_progress_updates": None}
    assert "anything" not in detail


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: file.stem)
async def test_a_real_pipeline_comes_back_as_it_was_sent(shared: Api, file: Any) -> None:
    sent = orjson.loads(file.read_bytes())
    answer = await shared.http.post("/pipelines", content=file.read_bytes(), headers=JSON)
    assert answer.status_code == 201, answer.text
    elements = await get(shared, f"/pipelines/{answer.json()['id']}/elements")
    assert [(each["name"], each["job_config"]) for each in elements] == list(sent["elements"].items())
    assert [list(each["job_config"]) for each in elements] == [list(config) for config in sent["elements"].values()]


async def test_graphql_sees_the_same_pipeline(shared: Api) -> None:
    detail = await created(shared, name="shared")
    seen = await shared.data("query($id: ID!) { pipeline(id: $id) { name elements { jobConfig } } }", id=detail["id"])
    assert seen["pipeline"] == {"name": "shared", "elements": [{"jobConfig": ENTRY}]}


async def test_the_examples_of_the_document_are_accepted(shared: Api) -> None:
    paths = (await shared.http.get("/openapi.json")).json()["paths"]
    for path, status in (("/pipelines", 201), ("/pipelines/check", 200), ("/pipelines/bulk/create", 200)):
        [example] = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"].values()
        answer = await shared.http.post(path, json=example["value"])
        assert answer.status_code == status, answer.text
        assert answer.json().get("is_valid") is not False
        assert all(entry["pipeline"] for entry in answer.json().get("results", []))
