"""Jobs: reading, listing and cancellation; submission of single jobs is refused."""

from __future__ import annotations

from uuid import uuid4

from tests import completed
from tests.api import Api
from tests.rest.requests import get


async def test_a_job_is_the_execution_of_an_element(shared: Api) -> None:
    hold, element = await completed.held(shared, elements=[{"name": "v", "elementType": "VALIDATION", "jobConfig": {}}])
    job = await get(shared, f"/jobs/{element['job_id']}")
    shown = await get(shared, f"/pipelines/elements/{element['id']}")
    assert job == {
        "job_id": element["job_id"],
        "status": "running",
        "job_type": "validation",
        "priority": 5,
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
        "is_terminal": False,
        "is_failed": False,
        "error": None,
        "result": None,
    }
    await hold.complete_element(element["id"], {"a": 1})
    job = await get(shared, f"/jobs/{element['job_id']}")
    assert (job["status"], job["is_terminal"], job["is_failed"], job["result"]) == ("completed", True, False, {"a": 1})


async def test_the_list_is_plain_and_begins_with_the_last(api: Api) -> None:
    assert await get(api, "/jobs/") == []
    await api.create()
    ids = [(await completed.completed(api))["job_id"] for _ in range(3)]
    assert [job["job_id"] for job in await get(api, "/jobs/")] == ids[::-1]
    assert [job["job_id"] for job in await get(api, "/jobs/", limit=1, skip=1)] == [ids[1]]
    assert (await api.http.get("/jobs/?limit=0")).status_code == 422


async def test_canceling_a_job_cancels_its_pipeline(shared: Api) -> None:
    _, element = await completed.held(shared)
    answer = await shared.http.post(f"/jobs/{element['job_id']}/cancel", json={})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["is_failed"]) == ("canceled", True)
    assert (await get(shared, f"/pipelines/{element['pipeline_id']}"))["status"] == "canceled"


async def test_canceling_a_job_that_has_ended_changes_nothing(shared: Api) -> None:
    element = await completed.completed(shared)
    answer = await shared.http.post(f"/jobs/{element['job_id']}/cancel", json={})
    assert answer.json() == await get(shared, f"/jobs/{element['job_id']}")
    assert answer.json()["status"] == "completed"
    assert (await get(shared, f"/pipelines/{element['pipeline_id']}"))["status"] == "running"


async def test_jobs_are_not_submitted_by_themselves(shared: Api) -> None:
    answer = await shared.http.post("/jobs/", json={"job_type": "data_fit", "params": {}})
    assert (answer.status_code, answer.json()["error_code"]) == (410, "GONE")


async def test_an_unknown_job_is_not_found(shared: Api) -> None:
    for answer in (await shared.http.get(f"/jobs/{uuid4()}"), await shared.http.post(f"/jobs/{uuid4()}/cancel")):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
