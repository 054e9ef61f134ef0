"""PipelineElement.series."""

from __future__ import annotations

from typing import Any

import pytest

from app.pipelines.results.series import MOST_POINTS
from tests import completed
from tests.api import Api
from tests.completed import CHANNELS, DATA, MODEL, TIME

SERIES = "query ($id: ID!) {{ node(id: $id) {{ ... on PipelineElement {{ series({}) }} }} }}"


async def asked(api: Api, id: str, arguments: str) -> Any:
    return (await api.data(SERIES.format(arguments), id=id))["node"]["series"]


async def test_it_is_the_stored_one_whole(api: Api) -> None:
    id = (await completed.completed(api, completed.series(), completed.series({"x": [1]}, source="BASELINE")))["id"]
    found = await asked(api, id, 'objective: "1 C"')
    assert found == CHANNELS
    assert list(found) == list(CHANNELS)
    assert await asked(api, id, 'objective: "1 C", source: BASELINE') == {"x": [1]}


async def test_it_is_windowed_picked_and_thinned(api: Api) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    arguments = f'objective: "1 C", columns: ["{DATA}", "{MODEL}"], xMin: 1, xMax: 4, maxPoints: 2'
    assert await asked(api, id, arguments) == {TIME: [1, 4], DATA: [3.9, 3.96], MODEL: [3.88, 3.97]}
    assert await asked(api, id, 'objective: "1 C", columns: null, xMin: null, maxPoints: null') == CHANNELS


async def test_it_is_null_where_there_is_none(api: Api) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    assert await asked(api, id, 'objective: "2 C"') is None
    assert await asked(api, id, 'objective: "1 C", source: BASELINE') is None
    pending = (await api.create())["elements"][0]["id"]
    assert await asked(api, pending, 'objective: "1 C"') is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("maxPoints: 1", "can be thinned to 2 to"),
        (f"maxPoints: {MOST_POINTS + 1}", "can be thinned to 2 to"),
        ("xMin: 2, xMax: 1", "before it begins"),
    ],
)
async def test_what_no_series_can_meet_is_an_error_of_the_request(api: Api, arguments: str, said: str) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    answer = await api.post(SERIES.format(f'objective: "1 C", {arguments}'), id=id)
    assert "data" not in answer
    [error] = answer["errors"]
    assert said in error["message"]
    assert error["locations"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('columns: ["Temperature [K]"]', f"no channel 'Temperature [K]'. It has '{TIME}', "),
    ],
)
async def test_what_cannot_be_met_is_an_error_at_the_field(api: Api, arguments: str, said: str) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    answer = await api.post(SERIES.format(f'objective: "1 C", {arguments}'), id=id)
    assert answer["data"] == {"node": {"series": None}}
    [error] = answer["errors"]
    assert said in error["message"]
    assert error["path"] == ["node", "series"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_query_of_the_file_reads_every_element_that_has_it(api: Api) -> None:
    element = await completed.completed(api, completed.series(objective="0.5 C"))
    found = await api.run("ElementSeries", id=element["pipeline_id"], objective="0.5 C", maxPoints=2)
    assert [each["series"][TIME] for each in found["elements"]] == [[0, 4]]
