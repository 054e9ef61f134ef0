"""Storage of series with their elements."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sqlmodel import func, select

from app.auth.caller import LOCAL, Caller
from app.errors import WrongArguments
from app.execution.lease import LeaseLost
from app.models.enums import SeriesSource
from app.models.tables import SeriesChannel
from app.pipelines.budget import Budget
from app.pipelines.results import series
from app.pipelines.results.series import MOST_POINTS, Wanted
from tests import completed
from tests.api import Api
from tests.completed import CHANNELS, CURRENT, DATA, MODEL, TIME


async def read(
    api: Api, element_id: str, objective: str = "1 C", **wanted: Any
) -> dict[str, list[float | None]] | None:
    found = await series.read(completed.database(api), LOCAL, Budget(2**26), element_id, Wanted(objective, **wanted))
    return None if found is None else orjson.loads(found)


async def stored(api: Api) -> int:
    """Count all stored channels."""
    async with completed.database(api).read() as session:
        return (await session.exec(select(func.count()).select_from(SeriesChannel))).one()


async def test_a_series_comes_back_as_it_was_in_its_order(api: Api) -> None:
    element = await completed.completed(api, completed.series())
    found = await read(api, element["id"])
    assert found == CHANNELS
    assert list(found or {}) == list(CHANNELS)


async def test_each_objective_and_source_has_its_own(api: Api) -> None:
    kept = [("b", "OPTIMAL"), ("b", "BASELINE"), ("a", "BASELINE")]
    written = [completed.series({"x": [i]}, objective, source) for i, (objective, source) in enumerate(kept)]
    id = (await completed.completed(api, *written))["id"]
    for i, (objective, source) in enumerate(kept):
        assert await read(api, id, objective, source=SeriesSource[source]) == {"x": [i]}
    assert await read(api, id, "a") is None
    assert await read(api, id, "c") is None
    named = await series.channels(completed.database(api), LOCAL, id)
    assert named == {
        "b": {SeriesSource.OPTIMAL: ["x"], SeriesSource.BASELINE: ["x"]},
        "a": {SeriesSource.BASELINE: ["x"]},
    }
    assert list(named) == ["b", "a"]


async def test_what_is_no_number_is_no_value(api: Api) -> None:
    odd = {"x": [1.0, 2.0, 3.0, 4.0], "y": [float("nan"), float("inf"), float("-inf"), None]}
    id = (await completed.completed(api, completed.series(odd)))["id"]
    assert await read(api, id) == {"x": [1.0, 2.0, 3.0, 4.0], "y": [None] * 4}


@pytest.mark.parametrize(
    ("columns", "shown"),
    [([DATA], [TIME, DATA]), ([MODEL, CURRENT], [TIME, CURRENT, MODEL]), ([TIME], [TIME]), ([], [TIME])],
)
async def test_columns_are_picked_and_the_axis_is_always_there(api: Api, columns: list[str], shown: list[str]) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    found = await read(api, id, columns=frozenset(columns))
    assert found == {name: CHANNELS[name] for name in shown}
    assert list(found or {}) == shown


@pytest.mark.parametrize(
    ("low", "high", "times"),
    [(1, 3, [1, 2, 3]), (None, 0, [0]), (3.5, None, [4]), (2.1, 2.9, []), (2, 2, [2]), (-9, 9, [0, 1, 2, 3, 4])],
)
async def test_a_window_is_inclusive(api: Api, low: float | None, high: float | None, times: list[int]) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    found = await read(api, id, x_min=low, x_max=high, columns=frozenset([MODEL]))
    assert found == {TIME: times, MODEL: [CHANNELS[MODEL][i] for i in times]}


async def test_another_axis_can_be_windowed_on_and_need_not_ascend(api: Api) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    found = await read(api, id, x_column=DATA, columns=frozenset([CURRENT]), x_min=3.95)
    assert found == {CURRENT: [5.0, 0.0, 0.0], DATA: [4.0, 3.95, 3.96]}


async def test_everything_wrong_is_told_at_once(api: Api) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    with pytest.raises(WrongArguments) as told:
        await read(api, id, max_points=1, x_min=2, x_max=1)
    assert set(told.value.faults) == {"max_points", "x_max"}
    with pytest.raises(WrongArguments) as told:
        await read(api, id, columns=frozenset(["no", DATA, "nor this"]), x_column="axis")
    assert told.value.faults["columns"].startswith("The series has no channel 'no', 'nor this'. It has 'Time [s]', ")
    assert told.value.faults["x_column"].startswith("The series has no channel 'axis'.")


@pytest.mark.parametrize("points", [-1, 0, 1, MOST_POINTS + 1])
async def test_points_out_of_range_are_an_error(api: Api, points: int) -> None:
    with pytest.raises(WrongArguments):
        await read(api, "whatever", max_points=points)


async def test_only_who_owns_the_element_reads_it(api: Api) -> None:
    id = (await completed.completed(api, completed.series()))["id"]
    stranger = Caller(organization_id="stranger")
    assert await series.read(completed.database(api), stranger, Budget(2**26), id, Wanted("1 C")) is None
    assert await series.channels(completed.database(api), stranger, id) == {}


async def test_what_is_not_completed_has_none_and_what_begins_again_starts_afresh(api: Api) -> None:
    hold, element = await completed.held(api)
    await completed.write(hold, element["id"], completed.series(), completed.series(source="BASELINE"))
    assert await stored(api) == 8
    assert await read(api, element["id"]) is None
    await hold.begin(element["id"])
    assert await stored(api) == 0
    await completed.write(hold, element["id"], completed.series({"x": [7]}))
    await hold.complete_element(element["id"], {})
    assert await read(api, element["id"]) == {"x": [7]}


async def test_a_run_that_is_canceled_keeps_the_series_of_what_completed_only(api: Api) -> None:
    entry = {"elementType": "DIRECT_ENTRY", "jobConfig": {}}
    id = (await api.create(elements=[{"name": name, **entry} for name in "ab"]))["id"]
    await api.run("StartPipeline", id=id)
    hold = await completed.take(completed.database(api), id, "worker")
    done, begun = (await api.http.get(f"/pipelines/{id}/elements")).json()
    for element in (done, begun):
        await hold.begin(element["id"])
        await completed.write(hold, element["id"], completed.series())
    await hold.complete_element(done["id"], {})
    await api.run("CancelPipeline", id=id)
    assert await read(api, done["id"]) == CHANNELS
    assert await stored(api) == len(CHANNELS)
    with pytest.raises(LeaseLost):
        await completed.write(hold, begun["id"], completed.series())


async def test_a_worker_that_was_overtaken_writes_none(api: Api) -> None:
    hold, element = await completed.held(api)
    assert await completed.take(completed.database(api), hold.pipeline_id, "another")
    with pytest.raises(LeaseLost):
        await completed.write(hold, element["id"], completed.series())
    assert await stored(api) == 0


async def test_they_go_with_their_pipeline_and_are_not_duplicated(api: Api) -> None:
    element = await completed.completed(api, completed.series())
    copy = await api.run("DuplicatePipeline", id=element["pipeline_id"])
    assert copy["userErrors"] == []
    assert await stored(api) == len(CHANNELS)
    await api.run("CancelPipeline", id=element["pipeline_id"])
    assert (await api.run("DeletePipeline", id=element["pipeline_id"]))["userErrors"] == []
    assert await stored(api) == 0
