"""Measured data: accepted forms, and refusals with their paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.battery.objectives.data.clock import distinct_times
from app.battery.objectives.data.measurements import MAX_NUMBERS
from tests.battery.measured import CURRENT, TIME, VOLTAGE, discharge, faults, made, places

COLUMNS = discharge()["data"]["data"]
AT = ("data", "data")


def with_data(data: Any) -> dict[str, Any]:
    return discharge() | {"data": data}


STEPS = {"Start index": [0, 2], "End index": [1, 4], "Cycle count": [0, 1], "Step count": [0, 1]}
FILTERS = ("data", "options", "filters")
SAVGOL = {"filter_type": "savgol", "parameters": {"window_length": 7, "polyorder": 2}}


def with_steps(steps: Any, **options: Any) -> dict[str, Any]:
    """Build data with steps beside the columns, and options around both if any."""
    both = {"time_series": COLUMNS, "steps": steps}
    return with_data({"data": both, "options": options} if options else both)


def smoothed(**filters: Any) -> dict[str, Any]:
    return with_data({"data": COLUMNS, "options": {"filters": filters}})


def with_columns(**changed: Any) -> dict[str, Any]:
    """Replace `Time`, `Current` and `Voltage` of a valid configuration."""
    named = {name: changed.get(name.split(" ")[0], column) for name, column in COLUMNS.items()}
    return with_data({"data": {name: column for name, column in named.items() if column is not None}})


@pytest.mark.parametrize(
    "data",
    [
        COLUMNS,
        {"data": COLUMNS},
        {"data": {"data": COLUMNS}},
        {"time_series": COLUMNS},
        {"data": {"time_series": COLUMNS, "steps": {"Step count": [0]}}},
        {"data": COLUMNS, "metadata": {"Temperature [degC]": 25}},
        {"data": {"time_series": COLUMNS, "steps": None}, "options": {"sort": False}},
    ],
    ids=["bare", "data", "twice", "time series", "steps", "metadata", "options"],
)
def test_columns_are_found_in_each_wrapping(data: Any) -> None:
    one = made(with_data(data))
    assert one.channels[TIME].tolist() == COLUMNS[TIME]
    assert one.data[VOLTAGE].tolist() == COLUMNS[VOLTAGE]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (with_columns(Voltage=[4.0, None, 4.0, 4.0, 4.0]), (*AT, VOLTAGE, 1)),
        (with_columns(Voltage=[4.0, 4.0, 4.0, 4.0, float("nan")]), (*AT, VOLTAGE, 4)),
        (with_columns(Voltage=[4.0, 4.0, float("inf"), 4.0, 4.0]), (*AT, VOLTAGE, 2)),
        (with_columns(Voltage=[4.0, 4.0, "4", 4.0, 4.0]), (*AT, VOLTAGE, 2)),
        (with_columns(Voltage=[True, 4.0, 4.0, 4.0, 4.0]), (*AT, VOLTAGE, 0)),
        (with_columns(Voltage=[10**400, 4.0, 4.0, 4.0, 4.0]), (*AT, VOLTAGE, 0)),
        (with_columns(Voltage=[[4.0], 4.0, 4.0, 4.0, 4.0]), (*AT, VOLTAGE, 0)),
        (with_columns(Voltage=[4.0, 4.0]), (*AT, VOLTAGE)),
        (with_columns(Voltage="abcde"), (*AT, VOLTAGE)),
        (with_columns(Voltage=None), (*AT, VOLTAGE)),
        (with_columns(Current=None), (*AT, CURRENT)),
        (with_columns(Time=[60.0] * 5), (*AT, TIME)),
        (with_columns(Time=[0.0, 60.0, 30.0, 120.0, 180.0]), (*AT, TIME, 2)),
        (with_columns(Time=[0.0, 60.0, 120.0, 180.0, 1e308]), (*AT, TIME, 4)),
        (with_columns(Time=[-1.7e308, 60.0, 120.0, 180.0, 1.7e308]), (*AT, TIME, 4)),
        (with_columns(Time=[0.0], Current=[1.0], Voltage=[4.0]), AT),
        (with_columns(Time=[], Current=[], Voltage=[]), AT),
        (with_data("db:1a2b"), ("data",)),
        (with_data("file:/etc/passwd"), ("data",)),
        (with_data("folder:/etc"), ("data",)),
        (with_data({"data": "db:1a2b", "analysis": {"analysis_type": "x"}}), ("data", "data")),
        (with_data({"data": COLUMNS, "analysis": {"name": "x"}}), ("data", "analysis")),
        (with_data([1, 2]), ("data",)),
        (with_data({"data": {"data": {"data": {"data": {"data": COLUMNS}}}}}), ("data",) * 5),
        (with_data({"data": COLUMNS, "option": {}}), ("data", "option")),
        (with_data({"data": COLUMNS, "options": {"first_step": 2}}), ("data", "options", "first_step")),
        (with_data({"data": COLUMNS, "options": {"transforms": {"srt": 1}}}), ("data", "options", "transforms", "srt")),
        (with_data({"data": COLUMNS, "options": {"last_step": {"step": 2}}}), ("data", "options", "last_step")),
        (with_data({"data": COLUMNS, "options": {"first_step": {"day": 2}}}), ("data", "options", "first_step")),
        (with_data({"data": COLUMNS, "options": {"first_step": True}}), ("data", "options", "first_step")),
        (with_data({"data": COLUMNS, "options": {"rest_to_ocp": True}}), ("data", "options", "rest_to_ocp")),
        (with_data({"data": COLUMNS, "options": {"remove_extremes": True}}), ("data", "options", "remove_extremes")),
        (with_data({"data": COLUMNS, "options": {"capacity_column": "Q"}}), (*AT, "Q")),
        (with_data({"data": COLUMNS, "options": {"interpolate": 0}}), ("data", "options", "interpolate")),
        (with_data({"data": COLUMNS, "options": {"interpolate": 1e-9}}), ("data", "options", "interpolate")),
        (with_data({"data": COLUMNS, "options": {"interpolate": [1, None]}}), ("data", "options", "interpolate")),
        (with_data({"data": COLUMNS, "options": {"interpolate": [60, 30]}}), (*AT, TIME, 1)),
        (smoothed(Q={"parameters": {}}), (*FILTERS, "Q", "filter_type")),
        (smoothed(Q={"filter_type": "median", "parameters": {}}), (*FILTERS, "Q", "filter_type")),
        (smoothed(Q={"filter_type": "savgol", "parameters": []}), (*FILTERS, "Q", "parameters")),
        (smoothed(Q=SAVGOL), FILTERS),
        (smoothed(**{VOLTAGE: SAVGOL}), (*FILTERS, VOLTAGE, "parameters", "window_length")),
        (
            smoothed(Q={"filter_type": "savgol", "parameters": {"window_length": 3, "polyorder": 3}}),
            (*FILTERS, "Q", "parameters", "polyorder"),
        ),
        (with_data({"data": COLUMNS, "options": {"sorted": True}}), ("data", "options", "sorted")),
        (with_data({"data": COLUMNS, "options": []}), ("data", "options")),
        (with_data({"data": COLUMNS, "time_range": {"start": 5}}), ("data", "time_range")),
        (with_data({"data": COLUMNS, "time_range": {"start": 9, "end": 5}}), ("data", "time_range")),
        (with_data({"data": COLUMNS, "time_range": {"start": 9, "end": 12, "duration": 3}}), ("data", "time_range")),
        (with_data({"data": COLUMNS, "time_range": {"start": 1000, "end": 2000}}), ("data", "time_range")),
        (with_steps({"Start index": [0]}), ("data", "steps", "End index")),
        (with_steps({"Start index": [0], "End index": [5]}), ("data", "steps", "End index", 0)),
        (with_steps({"Start index": [0.5], "End index": [4]}), ("data", "steps", "Start index", 0)),
        (with_steps({"Start index": [], "End index": []}), ("data", "steps")),
        (with_steps({"Start index": [0], "End index": [1, 4]}), ("data", "steps")),
        (with_steps([0, 4]), ("data", "steps")),
        (with_steps(STEPS, first_step=2), ("data", "options", "first_step")),
        (with_steps(STEPS, first_step=1, last_step=0), ("data", "options", "last_step")),
        (with_steps(STEPS, first_step=1, first_step_dict=1), ("data", "options", "first_step_dict")),
        (with_steps(STEPS, first_step={"cycle": 7}), ("data", "options", "first_step")),
        (with_steps(STEPS, first_step="SELECT * FROM steps"), ("data", "options", "first_step")),
        (with_steps(STEPS, first_step="SELECT * FROM read_csv('/etc/passwd')"), ("data", "options", "first_step")),
        (with_steps(STEPS, first_step="DROP TABLE steps"), ("data", "options", "first_step")),
        (with_steps(STEPS, rest_to_ocp=True), ("data", "options", "rest_to_ocp")),
    ],
)  # fmt: skip
def test_wrong_data_are_refused_at_their_place(config: Any, expected: tuple[str | int, ...]) -> None:
    assert places(config) == [expected]


def test_what_is_missing_is_told_with_what_is_there() -> None:
    (fault,) = faults(with_columns(Voltage=None))
    assert VOLTAGE in fault.message
    assert TIME in fault.message
    assert CURRENT in fault.message


def test_all_columns_that_lack_are_told() -> None:
    assert set(places(with_data({"data": {"U": [1, 2]}}))) == {(*AT, TIME), (*AT, CURRENT), (*AT, VOLTAGE)}


def test_a_reference_to_an_unknown_measurement_is_refused_by_name() -> None:
    (fault,) = faults(with_data("db:1a2b"))
    assert fault.message == "'db:1a2b' is not a measurement that this pipeline may read."


def test_the_amount_of_data_is_bounded() -> None:
    rows = MAX_NUMBERS // 3 + 1
    (fault,) = faults(with_columns(Time=[0.0] * rows, Current=[0.0] * rows, Voltage=[0.0] * rows))
    assert str(MAX_NUMBERS) in fault.message


def test_a_column_that_is_not_needed_may_hold_anything() -> None:
    one = made(with_data({"data": COLUMNS | {"Step name": ["rest", None, 1, "x", "y"]}}))
    assert list(one.channels) == [TIME, CURRENT]


def test_rows_are_sorted_on_request() -> None:
    turned = {name: column[::-1] for name, column in COLUMNS.items()}
    assert places(with_data({"data": turned})) == [(*AT, TIME, 1)]
    one = made(with_data({"data": turned, "options": {"sort": True}}))
    assert one.channels[TIME].tolist() == COLUMNS[TIME]
    assert one.effective["data"] == {"options": {"sort": True}}


def test_repeated_rows_are_dropped_on_request() -> None:
    twice = {name: [column[0], *column] for name, column in COLUMNS.items()}
    one = made(with_data({"data": twice, "options": {"transforms": {"remove_duplicates": True}}}))
    assert one.channels[TIME].tolist() == COLUMNS[TIME]


def test_repeated_times_are_kept_a_microsecond_apart() -> None:
    one = made(with_columns(Time=[0.0, 60.0, 60.0, 60.0, 180.0], Current=[0.0, 0.0, 1.0, 2.0, 2.0]))
    assert one.channels[TIME].tolist() == pytest.approx([0.0, 60.0, 60.000001, 60.000002, 180.0], rel=1e-12)
    assert one.channels[CURRENT].tolist() == [0.0, 0.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("start", "gap"), [(0.0, 1e-9), (0.0, 1.0), (0.0, 1e6), (1e4, 1e-6), (1e4, 1.0), (1.7e9, 0.1), (1.7e9, 1e4)]
)
def test_times_that_repeat_become_distinct_and_stay_before_the_next(start: float, gap: float) -> None:
    times = start + gap * np.repeat(np.arange(4.0), [1, 3, 2, 5])
    found = distinct_times(times)
    assert (np.diff(found) > 0).all()
    assert found[[0, 1, 4, 6]].tolist() == times[[0, 1, 4, 6]].tolist()
    assert np.abs(found - times).max() <= max(5e-6, 12 * np.spacing(start))


@pytest.mark.parametrize("window", [{"start": 60, "end": 180}, {"start": 60, "duration": 120}])
def test_a_window_of_time_keeps_its_ends(window: dict[str, float]) -> None:
    one = made(with_data({"data": COLUMNS, "time_range": window}))
    assert one.channels[TIME].tolist() == [60.0, 120.0, 180.0]


def test_steps_choose_rows() -> None:
    query = 'SELECT * FROM steps WHERE "Cycle count" = 1 ORDER BY "Step count" LIMIT 1'
    for first in (1, -1, {"cycle": 1}, {"step": 1}, query):
        one = made(with_steps(STEPS, first_step=first))
        assert one.channels[TIME].tolist() == COLUMNS[TIME][2:]
    assert made(with_steps(STEPS, last_step=0)).channels[TIME].tolist() == COLUMNS[TIME][:2]


def test_rows_outside_the_steps_may_lack_numbers() -> None:
    columns = COLUMNS | {VOLTAGE: [None, None, *COLUMNS[VOLTAGE][2:]]}
    data = {"data": {"time_series": columns, "steps": STEPS}, "options": {"first_step": 1}}
    assert made(with_data(data)).data[VOLTAGE].tolist() == COLUMNS[VOLTAGE][2:]
    assert places(with_data(data | {"options": {}})) == [("data", "data", "time_series", VOLTAGE, 0)]


def test_rows_are_resampled_on_request() -> None:
    columns = COLUMNS | {CURRENT: [0.0, 1.0, 2.0, 3.0, 4.0]}
    one = made(with_data({"data": columns, "options": {"interpolate": 30}}))
    assert one.channels[TIME].tolist() == np.arange(0.0, 240.0, 30.0).tolist()
    assert one.channels[CURRENT].tolist() == pytest.approx(np.arange(0.0, 4.0, 0.5))


def test_filters_smooth_columns() -> None:
    columns = COLUMNS | {VOLTAGE: [4.0, 4.1, 4.0, 4.1, 4.0]}
    smooth = {"filter_type": "savgol", "parameters": {"window_length": 3, "polyorder": 0, "mode": "nearest"}}
    one = made(with_data({"data": columns, "options": {"filters": {VOLTAGE: smooth}}}))
    assert one.data[VOLTAGE].tolist() == pytest.approx([12.1 / 3, 12.1 / 3, 12.2 / 3, 12.1 / 3, 12.1 / 3])


def test_rests_make_no_time_series() -> None:
    steps = STEPS | {"Step type": ["Constant current discharge", "Rest"]}
    assert {path[-1] for path in places(with_steps(steps, rest_to_ocp=True))} == {TIME, CURRENT}


def test_the_row_that_is_told_is_the_one_that_was_sent() -> None:
    columns = COLUMNS | {TIME: [0.0, 60.0, 120.0, 100.0, 240.0]}
    assert places(with_data({"data": columns, "time_range": {"start": 60, "end": 300}})) == [(*AT, TIME, 3)]
