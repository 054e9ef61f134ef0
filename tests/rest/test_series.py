"""Series of a job, as the official client reads them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests import completed
from tests.api import Api
from tests.completed import CHANNELS, CURRENT, DATA, MODEL, TIME
from tests.rest.requests import created, get


@pytest.fixture
async def job(shared: Api) -> str:
    """Create a job with two series."""
    baseline = completed.series({"x": [1, 2], "y": [None, 3]}, source="BASELINE")
    id: str = (await completed.completed(shared, completed.series(), baseline))["job_id"]
    return id


async def test_its_channels_are_named(shared: Api, job: str) -> None:
    assert await get(shared, f"/jobs/{job}/series/channels") == {
        "1 C": {"optimal": list(CHANNELS), "baseline": ["x", "y"]}
    }


async def test_it_is_read_whole_windowed_and_thinned(shared: Api, job: str) -> None:
    answer = await shared.http.get(f"/jobs/{job}/series", params={"objective": "1 C"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == CHANNELS
    asked: dict[str, Any] = {"columns": f"{MODEL},{DATA}", "max_points": 2, "x_min": 1, "x_max": 3}
    found = await get(shared, f"/jobs/{job}/series", objective="1 C", **asked)
    assert found == {TIME: [1, 3], DATA: [3.9, 3.95], MODEL: [3.88, 3.94]}
    assert await get(shared, f"/jobs/{job}/series", objective="1 C", source="baseline") == {"x": [1, 2], "y": [None, 3]}


async def test_another_axis_can_be_chosen(shared: Api, job: str) -> None:
    found = await get(shared, f"/jobs/{job}/series", objective="1 C", x_column=CURRENT, columns=MODEL, x_max=0)
    assert found == {CURRENT: [0, 0], MODEL: [3.94, 3.97]}


async def test_a_job_without_series_has_none(shared: Api) -> None:
    hold, element = await completed.held(shared)
    await completed.write(hold, element["id"], completed.series())
    assert await get(shared, f"/jobs/{element['job_id']}/series/channels") == {}
    answer = await shared.http.get(f"/jobs/{element['job_id']}/series", params={"objective": "1 C"})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("query", [{"objective": "2 C"}, {"objective": "2 C", "source": "baseline"}])
async def test_an_unknown_objective_is_not_found(shared: Api, job: str, query: dict[str, str]) -> None:
    assert (await shared.http.get(f"/jobs/{job}/series", params=query)).status_code == 404


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({}, ["objective"]),
        ({"objective": "1 C", "source": "initial", "max_points": "1"}, ["source", "max_points"]),
        ({"objective": "1 C", "x_min": "nan", "x_max": "inf"}, ["x_min", "x_max"]),
        ({"objective": "1 C", "max_points": "100001"}, ["max_points"]),
        ({"objective": "1 C", "x_min": "2", "x_max": "1"}, ["x_max"]),
        ({"objective": "1 C", "columns": f"{MODEL},no", "x_column": "nor this"}, ["columns", "x_column"]),
    ],
)
async def test_wrong_arguments_are_named_all_at_once(
    shared: Api, job: str, query: dict[str, str], places: list[str]
) -> None:
    answer = await shared.http.get(f"/jobs/{job}/series", params=query)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["detail"]] == [["query", place] for place in places]


@pytest.mark.parametrize("path", ["series?objective=x", "series/channels", "metadata"])
async def test_an_unknown_job_is_not_found(shared: Api, path: str) -> None:
    answer = await shared.http.get(f"/jobs/{uuid4()}/{path}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


async def test_an_element_that_was_never_started_has_no_job(shared: Api) -> None:
    [element] = (await created(shared))["elements"]
    assert (await shared.http.get(f"/jobs/{element['id']}/metadata")).status_code == 404
