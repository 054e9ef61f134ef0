"""Plots of a job, and their points."""

from __future__ import annotations

from typing import Any

import pytest

from app.execution.executor import Progress
from tests import completed
from tests.api import Api
from tests.completed import CHANNELS, DATA, MODEL, TIME
from tests.rest.requests import get

KIND = {"objectives": {"1 C": {"type": "CurrentDriven", "data": {}}, "bare": 7}}
FIT = [{"name": "fit", "elementType": "DATA_FIT", "jobConfig": KIND}]
IMPEDANCE = {
    "Frequency [Hz]": [1000.0, 10.0, 0.1],
    "Z_Re [Ohm] (data)": [1.0, 2.0, 3.0],
    "Z_Im [Ohm] (data)": [0.0, -0.5, -0.1],
    "Z_Re [Ohm] (model)": [1.1, 2.1, 3.1],
    "Z_Im [Ohm] (model)": [-0.1, -0.6, -0.2],
}


async def plot(api: Api, job: str, index: int = 0, objective: str = "1 C", **query: Any) -> Any:
    return await get(api, f"/pipelines/datafits/{job}/plot_data", objective_name=objective, plot_index=index, **query)


async def test_the_manifest_says_which_there_are(shared: Api) -> None:
    two = {"x": [1], "a [V] (data)": [1], "a [V] (model)": [1], "b (data)": [1], "b (model)": [1], "c (data)": [1]}
    written = [
        completed.series(),
        completed.series(two, "bare"),
        completed.series({"x": [1], "y": [2]}, "no model"),
        completed.series(objective="baseline only", source="BASELINE"),
    ]
    job = (await completed.completed(shared, *written, elements=FIT))["job_id"]
    found = await get(shared, f"/jobs/{job}/metadata")
    assert found["validation_plot_config"]["objectives"] == {
        "1 C": {"type": "CurrentDriven", "plot_count": 2},
        "bare": {"type": None, "plot_count": 4},
    }
    titles = [(await plot(shared, job, index, "bare"))["layout"]["yaxis"]["title"]["text"] for index in range(4)]
    assert titles == ["a [V]", "b", "Error [V]", "Error"]


async def test_the_model_is_plotted_against_the_data_and_their_difference_below(shared: Api) -> None:
    job = (await completed.completed(shared, completed.series()))["job_id"]
    compared, error = [await plot(shared, job, index) for index in range(2)]
    assert compared == {
        "traces": [
            {"name": "Data", "x": CHANNELS[TIME], "y": CHANNELS[DATA]},
            {"name": "Model", "x": CHANNELS[TIME], "y": CHANNELS[MODEL]},
        ],
        "layout": {"xaxis": {"title": {"text": TIME}}, "yaxis": {"title": {"text": "Voltage [V]"}}},
        "x_full_min": 0,
        "x_full_max": 4,
    }
    [trace] = error["traces"]
    assert trace["name"] == "Error"
    assert trace["y"] == [pytest.approx(0.01), pytest.approx(-0.02), None, pytest.approx(-0.01), pytest.approx(0.01)]


async def test_impedance_is_plotted_in_the_complex_plane(shared: Api) -> None:
    job = (await completed.completed(shared, completed.series(IMPEDANCE)))["job_id"]
    found = await plot(shared, job, x_min=1.05, x_max=2.5)
    assert found["traces"] == [
        {"name": "Data", "x": [2.0], "y": [0.5]},
        {"name": "Model", "x": [1.1, 2.1], "y": [0.1, 0.6]},
    ]
    assert (found["x_full_min"], found["x_full_max"]) == (1.0, 3.1)
    manifest = (await get(shared, f"/jobs/{job}/metadata"))["validation_plot_config"]
    assert manifest == {"objectives": {"1 C": {"type": None, "plot_count": 1}}}


async def test_each_trace_has_at_most_so_many_points_with_its_peak_among_them(shared: Api) -> None:
    rows = [float(i) for i in range(5000)]
    peaked = {"x": rows, "v (data)": [*rows[:2000], 1e6, *rows[2001:]], "v (model)": rows}
    job = (await completed.completed(shared, completed.series(peaked)))["job_id"]
    for index, highest in ((0, [1e6, 4999]), (1, [0])):
        traces = (await plot(shared, job, index, max_points=100))["traces"]
        assert all(50 < len(trace["x"]) == len(trace["y"]) <= 100 for trace in traces)
        assert [max(trace["y"]) for trace in traces] == highest


async def test_the_official_client_draws_them(shared: Api) -> None:
    plots = pytest.importorskip("ionworks_schema.plots", reason="the extra `battery` is not installed")
    job = (await completed.completed(shared, completed.series()))["job_id"]
    panel = plots.PlotConfig.from_wire(await plot(shared, job))
    assert (panel.x_label, panel.y_label) == (TIME, "Voltage [V]")
    assert [(trace.label, trace.y) for trace in panel.traces] == [("Data", CHANNELS[DATA]), ("Model", CHANNELS[MODEL])]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"objective_name": "1 C", "plot_index": 2}, 404),
        ({"objective_name": "2 C"}, 404),
        ({"objective_name": "1 C", "max_points": 99}, 422),
        ({"objective_name": "1 C", "max_points": 80_001}, 422),
        ({"objective_name": "1 C", "plot_index": -1}, 422),
        ({"objective_name": "1 C", "x_min": 3, "x_max": 2}, 422),
        ({}, 422),
    ],
)
async def test_what_is_not_there_is_refused(shared: Api, query: dict[str, Any], status: int) -> None:
    job = (await completed.completed(shared, completed.series()))["job_id"]
    assert (await shared.http.get(f"/pipelines/datafits/{job}/plot_data", params=query)).status_code == status


async def test_checkpoints_are_a_trace(shared: Api) -> None:
    hold, element = await completed.held(shared, elements=FIT)
    listed = f"/pipelines/{element['pipeline_id']}/elements"
    assert (await get(shared, listed))[0]["progress"] is None
    for i in (1, 2):
        await hold.keep(element["id"], Progress(i, 2 / i, 1 / i, {"D [m2.s-1]": i}))
    metadata = await get(shared, f"/jobs/{element['job_id']}/metadata")
    assert metadata["validation_plot_config"] == {"objectives": {}}
    assert metadata["intermediate_results"] == [
        {"cost": c, "best_cost": b, "inputs": {}, "inputs_unscaled": {"D [m2.s-1]": i}, "multistart_job_id": None}
        for c, b, i in ((2, 1, 1), (1, 0.5, 2))
    ]
    assert (await get(shared, listed))[0]["progress"] == {"best_cost": 0.5}
    assert (await get(shared, f"/pipelines/elements/{element['id']}"))["progress"] == {"best_cost": 0.5}
