"""PATCH and DELETE."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.enums import PipelineStatus
from tests.api import Api
from tests.rest.requests import created, get

NOT_RUNNING = [status for status in PipelineStatus if status is not PipelineStatus.RUNNING]


async def test_what_is_sent_is_changed_and_the_rest_is_kept(shared: Api) -> None:
    before = await created(shared, name="old", description="kept")
    answer = await shared.http.patch(f"/pipelines/{before['id']}", json={"name": "new"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    after = answer.json()
    assert (after["name"], after["description"]) == ("new", "kept")
    assert after["updated_at"] > before["updated_at"]
    same = before.keys() - {"name", "updated_at", "elements"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert await get(shared, f"/pipelines/{before['id']}") == after


async def test_null_clears_a_description(shared: Api) -> None:
    before = await created(shared, description="gone")
    after = (await shared.http.patch(f"/pipelines/{before['id']}", json={"description": None})).json()
    assert (after["name"], after["description"]) == (before["name"], None)


@pytest.mark.parametrize("status", PipelineStatus)
async def test_texts_change_whatever_the_status(shared: Api, status: PipelineStatus) -> None:
    id = (await created(shared))["id"]
    await shared.set_status(id, status)
    answer = await shared.http.patch(f"/pipelines/{id}", json={"name": "new"})
    assert (answer.status_code, answer.json()["status"]) == (200, status.value)


@pytest.mark.parametrize("sent", [{"status": "completed"}, {"elements": {}}, {"id": "mine", "project_id": "other"}])
async def test_a_field_that_cannot_be_changed_is_an_error_at_its_place(shared: Api, sent: dict[str, Any]) -> None:
    before = await created(shared)
    path = f"/pipelines/{before['id']}"
    answer = await shared.http.patch(path, json={"name": "new", **sent})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["detail"]] == [["body", name] for name in sent]
    elements = await get(shared, f"{path}/elements")
    assert {**await get(shared, path), "elements": elements} == before


async def test_every_fault_of_a_change_is_named_and_nothing_is_changed(shared: Api) -> None:
    before = await created(shared)
    answer = await shared.http.patch(f"/pipelines/{before['id']}", json={"name": " ", "description": "x" * 10_001})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["detail"]] == [["body", "name"], ["body", "description"]]
    assert (await get(shared, f"/pipelines/{before['id']}"))["updated_at"] == before["updated_at"]


@pytest.mark.parametrize("status", NOT_RUNNING)
async def test_a_pipeline_that_does_not_run_is_deleted_with_its_elements(shared: Api, status: PipelineStatus) -> None:
    detail = await created(shared)
    await shared.set_status(detail["id"], status)
    answer = await shared.http.delete(f"/pipelines/{detail['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in (f"/pipelines/{detail['id']}", f"/pipelines/elements/{detail['elements'][0]['id']}"):
        assert (await shared.http.get(path)).status_code == 404


async def test_a_running_pipeline_is_not_deleted(shared: Api) -> None:
    detail = await created(shared)
    await shared.set_status(detail["id"], PipelineStatus.RUNNING)
    answer = await shared.http.delete(f"/pipelines/{detail['id']}")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == "INVALID_STATE"
    assert (await get(shared, f"/pipelines/{detail['id']}"))["status"] == "running"


@pytest.mark.parametrize("status", PipelineStatus)
async def test_failed_counts_canceled_in(shared: Api, status: PipelineStatus) -> None:
    id = (await created(shared))["id"]
    await shared.set_status(id, status)
    seen = await get(shared, f"/pipelines/{id}")
    assert seen["is_terminal"] is (status.value in ("completed", "failed", "canceled"))
    assert seen["is_failed"] is (status.value in ("failed", "canceled"))
