"""PipelineElement.history."""

from __future__ import annotations

from typing import Any

import pytest

from tests import completed
from tests.api import Api
from tests.rest.requests import get

HISTORY = "query ($id: ID!) {{ node(id: $id) {{ ... on PipelineElement {{ history{} }} }} }}"
KEPT: dict[str, Any] = {
    "evaluation": [1, 2, 3, 4, 5],
    "start": [0, 0, 0, 1, 1],
    "cost": [4.0, None, 1.0, 9.0, 2.0],
    "best_cost": [4.0, 4.0, 1.0, 1.0, 1.0],
    "a": [0.5, 0.6, 0.7, 0.1, 0.2],
}


async def asked(api: Api, id: str, arguments: str = "") -> Any:
    return (await api.data(HISTORY.format(arguments), id=id))["node"]["history"]


async def test_it_is_read_whole_and_thinned(api: Api) -> None:
    id = (await completed.completed(api, completed.series(), completed.series(KEPT, "")))["id"]
    found = await asked(api, id)
    assert found == KEPT
    assert list(found) == list(KEPT)
    assert await asked(api, id, "(maxPoints: null)") == KEPT
    assert await asked(api, id, "(maxPoints: 2)") == {name: [each[0], each[-1]] for name, each in KEPT.items()}


async def test_it_is_null_where_there_is_none(api: Api) -> None:
    assert await asked(api, (await completed.completed(api, completed.series()))["id"]) is None
    hold, element = await completed.held(api)
    await completed.write(hold, element["id"], completed.series(KEPT, ""))
    assert await asked(api, element["id"]) is None
    await hold.complete_element(element["id"], {"parameter_values": {}})
    assert await asked(api, element["id"]) == KEPT


@pytest.mark.parametrize("points", [1, 100_001])
async def test_a_number_of_points_out_of_bounds_is_an_error_of_the_request(api: Api, points: int) -> None:
    id = (await completed.completed(api, completed.series(KEPT, "")))["id"]
    answer = await api.post(HISTORY.format(f"(maxPoints: {points})"), id=id)
    assert "data" not in answer
    [error] = answer["errors"]
    assert "can be thinned to 2 to" in error["message"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_it_is_no_objective_over_rest_but_the_series_of_the_empty_one(api: Api) -> None:
    job = (await completed.completed(api, completed.series(), completed.series(KEPT, "")))["job_id"]
    assert list(await get(api, f"/jobs/{job}/series/channels")) == ["1 C"]
    assert list((await get(api, f"/jobs/{job}/metadata"))["validation_plot_config"]["objectives"]) == ["1 C"]
    assert await get(api, f"/jobs/{job}/series", objective="") == KEPT


async def test_the_query_of_the_file_reads_it_of_every_element(api: Api) -> None:
    element = await completed.completed(api, completed.series(KEPT, ""))
    found = await api.run("FitHistory", id=element["pipeline_id"], maxPoints=2)
    assert [each["history"]["evaluation"] for each in found["elements"]] == [[1, 5]]
