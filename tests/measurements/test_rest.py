"""REST of cells and measurements, as the official client calls it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.measurements.conftest import CSV, Lab


async def _made(lab: Lab, path: str, **body: Any) -> dict[str, Any]:
    answer = await lab.http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _cell(lab: Lab) -> str:
    specification = await _made(lab, "/cell_specifications", project_id="p", name="NMC", ratings={"capacity": 5})
    cell = await _made(lab, f"/cell_specifications/{specification['id']}/cell_instances", name="NMC-1", batch="b")
    assert (specification["ratings"], cell["batch"]) == ({"capacity": 5}, "b")
    return str(cell["id"])


async def _uploaded(lab: Lab, cell: str, name: str, **fields: Any) -> str:
    begun = await lab.http.post(
        f"/cell_instances/{cell}/cell_measurements/initiate-upload", json={"measurement": {"name": name}}
    )
    assert begun.status_code == 200, begun.text
    [target] = begun.json()["uploads"]
    assert (await lab.put(target["signed_url"], CSV)).status_code == 200
    id = begun.json()["measurement_id"]
    assert (await lab.http.get(f"/cell_measurements/{id}")).status_code == 404  # until it is confirmed
    confirmation = {"cell_instance_id": cell, "measurement": {"name": name, **fields}}
    confirmed = await lab.http.post(f"/cell_measurements/{id}/confirm-upload", json=confirmation)
    assert confirmed.status_code == 200, confirmed.text
    assert (confirmed.json()["processing_status"], confirmed.json()["steps_created"]) == ("ready", 0)
    return str(id)


async def test_a_measurement_goes_the_whole_way(lab: Lab) -> None:
    cell = await _cell(lab)
    fields = {"tags": ["b", "A"], "protocol": {"name": "1C"}, "start_time": "2026-11-01T10:00:00+01:00"}
    id = await _uploaded(lab, cell, "1C", **fields)
    found = (await lab.http.get(f"/cell_measurements/{id}")).json()
    assert (found["tags"], found["protocol"], found["rows"]) == (["A", "b"], {"name": "1C"}, 3)
    assert found["start_time"] == "2026-11-01T09:00:00.000000Z"
    again = await lab.http.post(
        f"/cell_instances/{cell}/cell_measurements/initiate-upload", json={"measurement": {"name": "1C"}}
    )
    assert (again.status_code, again.json()["detail"]) == (409, {"existing_id": id})
    # The reader changed the sign of the current, so that the columns are served as it wrote them.
    series = await lab.http.get(f"/cell_measurements/{id}/time_series/download", follow_redirects=True)
    steps = await lab.http.get(f"/cell_measurements/{id}/steps/download", follow_redirects=True)
    assert (series.content, steps.content) == (CSV, b"steps of time_series.parquet")
    told = (await lab.http.get(f"/cell_measurements/{id}/steps_and_cycles")).json()
    assert told == {"steps": {"Step count": [0, 1]}, "cycles": {"Cycle count": [0]}}
    changed = await lab.http.patch(f"/cell_measurements/{id}", json={"notes": "x", "tags": []})
    assert (changed.json()["notes"], changed.json()["tags"], changed.json()["name"]) == ("x", [], "1C")
    assert (await lab.http.delete(f"/cell_instances/{cell}")).status_code == 409
    assert (await lab.http.delete(f"/cell_measurements/{id}")).status_code == 204
    assert (await lab.http.delete(f"/cell_instances/{cell}")).status_code == 204


async def test_lists_have_filters(lab: Lab) -> None:
    cell = await _cell(lab)
    ids = [await _uploaded(lab, cell, name, tags=tags) for name, tags in (("RPT 0", ["hot"]), ("rpt 1", ["Hot", "x"]))]
    for query, found in (
        ("", [1, 0]),
        ("name=eq.RPT 0", [0]),
        ("name=ilike.%rpt%&order=asc", [0, 1]),
        ("tags_all=HOT&tags_all=x", [1]),
        ("tags_any=x&tags_any=hot", [1, 0]),
        ("tags_any=none", []),
        ("q=RPT&limit=1", [1]),
        ("q=RPT&limit=1&offset=1", [0]),
        ("measurement_type=properties", []),
        ("measurement_type=file", []),
        ("created_at_gt=2100-01-01", []),
        ("order_by=name", [1, 0]),
    ):
        page = (await lab.http.get(f"/cell_instances/{cell}/cell_measurements?{query}")).json()
        assert [ids.index(each["id"]) for each in page["items"]] == found, query
    assert page["total"] == 2
    assert (await lab.http.get("/cell_measurements?project_id=p")).json()["total"] == 2
    assert (await lab.http.get("/cell_specifications?name=eq.NMC&project_id=p")).json()["total"] == 1


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("initiate-upload", {"measurement": {"name": ""}}, ["body", "measurement", "name"]),
        ("initiate-upload", {"measurement": {"name": "n", "tags": [""]}}, ["body", "measurement", "tags", 0]),
        ("initiate-upload", {"measurement": {"name": "n", "channel_id": "c"}}, ["body", "measurement", "channel_id"]),
        ("initiate-upload", {"measurement": {"name": "n"}, "filenames": ["a.pdf"]}, ["body", "filenames"]),
        ("create", {"name": "n", "measurement_type": "file", "properties": {}}, ["body", "measurement_type"]),
        ("create", {"name": "n" * 256, "measurement_type": "properties", "properties": {}}, ["body", "name"]),
    ],
)
async def test_bad_bodies_are_refused_with_their_place(still: Lab, path: str, body: Any, place: list[str]) -> None:
    cell = await _cell(still)
    answer = await still.http.post(f"/cell_instances/{cell}/cell_measurements/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert [each["loc"] for each in answer.json()["detail"]] == [place]


async def test_properties_are_kept(still: Lab) -> None:
    cell, values = await _cell(still), {"thickness": {"value": 0.52, "unit": "mm"}}
    body = {"name": "t", "measurement_type": "properties", "properties": values}
    made = await _made(still, f"/cell_instances/{cell}/cell_measurements/create", **body)
    assert (made["properties"], made["processing_status"]) == (values, "ready")
    refused = await still.http.get(f"/cell_measurements/{made['id']}/time_series/download")
    assert (refused.status_code, refused.json()["error_code"]) == (409, "INVALID_STATE")


@pytest.mark.parametrize("name", ["created_at_gt", "updated_at_lt", "start_time_gt"])
async def test_a_number_is_no_time(still: Lab, name: str) -> None:
    answer = await still.http.get("/cell_measurements", params={name: "0.5"})
    assert answer.status_code == 422
    assert "2026-11-23T10:00:00Z" in answer.json()["detail"][0]["msg"]
    body = {"measurement": {"name": "m", "start_time": 0.5}}
    begun = await still.http.post("/cell_instances/none/cell_measurements/initiate-upload", json=body)
    assert begun.status_code == 422


@pytest.mark.parametrize("name", ["created_at_gt", "updated_at_lt", "start_time_gt"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
async def test_times_that_utc_does_not_have_are_refused(still: Lab, name: str, time: str) -> None:
    answer = await still.http.get("/cell_measurements", params={name: time})
    assert answer.status_code == 422, answer.text
    assert name in answer.text
