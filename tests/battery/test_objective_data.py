"""Measured data: what is taken, and what is refused at its place."""

from __future__ import annotations

from typing import Any

import pytest

from app.battery.objectives.data import MAX_NUMBERS
from tests.battery.measured import CURRENT, TIME, VOLTAGE, discharge, faults, made, places

COLUMNS = discharge()["data"]["data"]
AT = ("data", "data")


def with_data(data: Any) -> dict[str, Any]:
    return discharge() | {"data": data}


def with_columns(**changed: Any) -> dict[str, Any]:
    """`Time`, `Current` and `Voltage` instead of those of a sound configuration."""
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
        (with_columns(Time=[0.0, 60.0, 60.0, 120.0, 180.0]), (*AT, TIME, 2)),
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
        (with_data({"data": COLUMNS, "options": {"filters": {}}}), ("data", "options", "filters")),
        (with_data({"data": COLUMNS, "options": {"transforms": {"srt": 1}}}), ("data", "options", "transforms", "srt")),
        (with_data({"data": COLUMNS, "options": {"interpolate": 1}}), ("data", "options", "interpolate")),
        (with_data({"data": COLUMNS, "options": {"sorted": True}}), ("data", "options", "sorted")),
        (with_data({"data": COLUMNS, "options": []}), ("data", "options")),
        (with_data({"data": COLUMNS, "time_range": {"start": 5}}), ("data", "time_range")),
        (with_data({"data": COLUMNS, "time_range": {"start": 9, "end": 5}}), ("data", "time_range")),
        (with_data({"data": COLUMNS, "time_range": {"start": 1000, "end": 2000}}), AT),
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


def test_a_reference_to_stored_data_is_refused_by_name() -> None:
    (fault,) = faults(with_data("db:1a2b"))
    assert (
        fault.message
        == "'db:1a2b' is not supported: data must be in the configuration itself, as an object of columns."
    )


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


def test_a_repeated_time_is_no_repeated_row() -> None:
    twice = {name: [column[0], *column] for name, column in COLUMNS.items()} | {VOLTAGE: [4.1, *COLUMNS[VOLTAGE]]}
    assert places(with_data({"data": twice, "options": {"remove_duplicates": True}})) == [(*AT, TIME, 1)]


def test_a_window_of_time_keeps_its_ends() -> None:
    one = made(with_data({"data": COLUMNS, "time_range": {"start": 60, "end": 180}}))
    assert one.channels[TIME].tolist() == [60.0, 120.0, 180.0]


def test_the_row_that_is_told_is_the_one_that_was_sent() -> None:
    turned = {name: column[::-1] for name, column in COLUMNS.items()} | {TIME: [240.0, 240.0, 120.0, 60.0, 0.0]}
    assert places(with_data({"data": turned, "options": {"sort": True}})) == [(*AT, TIME, 1)]
