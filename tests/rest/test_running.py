"""Start, cancellation and result on a server without a worker: started pipelines stay queued."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.models.enums import PipelineStatus
from tests.api import Api
from tests.rest.requests import ENTRY, created, get

ENDED = [status for status in PipelineStatus if status.is_terminal]


async def post(api: Api, id: str, verb: str) -> tuple[int, dict[str, Any]]:
    answer = await api.http.post(f"/pipelines/{id}/{verb}")
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()


async def test_a_started_pipeline_runs_and_has_its_elements(shared: Api) -> None:
    before = await created(shared, elements={"a": ENTRY, "b": ENTRY})
    status, started = await post(shared, before["id"], "start")
    assert (status, started["status"], started["is_terminal"]) == (200, "running", False)
    assert [each["id"] for each in started["elements"]] == [each["id"] for each in before["elements"]]
    assert await post(shared, before["id"], "start") == (200, started)


@pytest.mark.parametrize("status", ENDED)
async def test_what_has_ended_is_not_started_again(shared: Api, status: PipelineStatus) -> None:
    id = (await created(shared))["id"]
    await shared.set_status(id, status)
    code, answer = await post(shared, id, "start")
    assert (code, answer["error_code"]) == (409, "INVALID_STATE")
    assert (await get(shared, f"/pipelines/{id}"))["status"] == status.value


async def test_a_pending_pipeline_can_be_canceled(shared: Api) -> None:
    id = (await created(shared))["id"]
    status, canceled = await post(shared, id, "cancel")
    assert (status, canceled["status"], canceled["is_failed"]) == (200, "canceled", True)
    assert [each["status"] for each in await get(shared, f"/pipelines/{id}/elements")] == ["canceled"]


@pytest.mark.parametrize("status", ENDED)
async def test_canceling_what_has_ended_answers_it_as_it_is(shared: Api, status: PipelineStatus) -> None:
    id = (await created(shared))["id"]
    await shared.set_status(id, status)
    code, answer = await post(shared, id, "cancel")
    assert (code, answer) == (200, await get(shared, f"/pipelines/{id}"))
    assert answer["status"] == status.value


async def test_a_result_has_both_objects_before_there_is_one(shared: Api) -> None:
    result = await get(shared, f"/pipelines/{(await created(shared))['id']}/result")
    assert isinstance(result["result"], dict)
    assert result["element_results"] == {}


@pytest.mark.parametrize(("method", "verb"), [("POST", "start"), ("POST", "cancel"), ("GET", "result")])
async def test_what_is_not_there_is_not_found(shared: Api, method: str, verb: str) -> None:
    answer = await shared.http.request(method, f"/pipelines/{uuid4()}/{verb}")
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "NOT_FOUND"
