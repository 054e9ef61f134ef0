"""POST /pipelines/{id}/rerun."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.pipelines.test_rerun import ended


async def post(api: Api, id: str, body: Any = None) -> tuple[int, Any]:
    answer = await api.http.post(f"/pipelines/{id}/rerun", **({} if body is None else {"json": body}))
    return answer.status_code, answer.json()


async def test_without_a_body_all_runs_from_the_first_that_did_not_complete(api: Api) -> None:
    id = await ended(api)
    status, made = await post(api, id)
    assert (status, made["status"], made["id"] == id) == (201, "running", False)
    assert [each["status"] for each in made["elements"]] == ["completed", "completed", "pending"]
    assert [each["job_status"] for each in made["elements"]] == ["completed", "completed", "pending"]
    assert made["elements"][0]["result"] == {"parameter_values": {"v0": 0}}
    job = (await api.http.get(f"/jobs/{made['elements'][0]['job_id']}")).json()
    assert (job["status"], job["is_terminal"]) == ("completed", True)
    log = (await api.http.get(f"/jobs/{made['elements'][0]['job_id']}/log")).json()
    assert log == {"lines": [], "is_terminal": True}


@pytest.mark.parametrize("key", ["from", "elements"])
async def test_a_body_says_where_it_begins(api: Api, key: str) -> None:
    body: dict[str, Any] = (
        {"from": "e1"} if key == "from" else {"elements": {"e1": {"element_type": "data_fit", "x": 1}}}
    )
    status, made = await post(api, await ended(api), {**body, "name": "again", "start": False})
    assert (status, made["status"], made["name"]) == (201, "pending", "again")
    assert [each["status"] for each in made["elements"]] == ["completed", "pending", "pending"]
    assert made["elements"][0]["progress"] == {"best_cost": None}
    assert made["elements"][1]["job_config"] == body.get("elements", {}).get("e1", {"values": {"a": 1}})


async def test_each_problem_of_a_body_has_its_place(api: Api) -> None:
    id = await ended(api)
    for body, places in (
        ({"from": "none"}, [["body", "from"]]),
        ({"from": 1, "start": "yes"}, [["body", "from"], ["body", "start"]]),
        (
            {"elements": {"e1": 3, "e2": {"element_type": "x"}}},
            [["elements", "e1"], ["elements", "e2", "element_type"]],
        ),
        ({"elements": {"none": {}}}, [["body", "elements", "none"]]),
        ({"form": "e1", "name": "n"}, [["body", "form"]]),
    ):
        status, answer = await post(api, id, body)
        assert status == 422
        assert [fault["loc"][-len(place) :] for fault, place in zip(answer["detail"], places, strict=True)] == places


async def test_statuses_of_refusals(api: Api) -> None:
    assert (await post(api, (await api.create())["id"]))[0] == 409
    assert (await post(api, "none"))[0] == 404
    answer = await api.http.post(f"/pipelines/{await ended(api)}/rerun", content=b"{", headers={"content-type": "text"})
    assert answer.status_code == 415
