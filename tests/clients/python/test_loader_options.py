"""Loader options, compared with `ionworksdata` row for row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.battery.objectives.data.measurements import Needs, measured

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    iwdata = pytest.importorskip("ionworksdata", exc_type=ImportError)
    load = pytest.importorskip("ionworksdata.load", exc_type=ImportError)

TIME, CURRENT, VOLTAGE, CAPACITY = "Time [s]", "Current [A]", "Voltage [V]", "Capacity [A.h]"
TABLES = 50
Columns = dict[str, list[Any]]


def curve(random: np.random.Generator) -> Columns:
    """An open-circuit curve in either direction, with repeated and noisy values."""
    rows = int(random.integers(8, 60))
    capacity = np.cumsum(random.choice([0.0, 0.1, 0.1, 0.2], rows)) + random.choice([0.0, 0.3])
    voltage = np.round(4.2 - 0.15 * capacity + random.normal(0, 0.02, rows), int(random.integers(1, 4)))
    voltage[0], voltage[-1] = 4.3, 2.0
    if random.random() < 0.5:
        capacity = capacity[::-1]
    if random.random() < 0.5:
        voltage, capacity = voltage[::-1], capacity[::-1]
    return {CAPACITY: capacity.tolist(), VOLTAGE: voltage.tolist(), TIME: (10.0 * np.arange(rows)).tolist()}


def series(random: np.random.Generator) -> Columns:
    """A time series with occasionally repeated times."""
    rows = int(random.integers(30, 120))
    times = np.cumsum(random.choice([0.0, 0.5, 1.0, 7.3], rows, p=[0.1, 0.3, 0.3, 0.3]))
    current: np.ndarray = np.repeat(random.choice([-2.0, 0.0, 0.0, 1.5], rows // 10 + 1), 10)[:rows]
    voltage = 3.7 - 0.05 * current + random.normal(0, 0.01, rows)
    return {TIME: times.tolist(), CURRENT: current.tolist(), VOLTAGE: voltage.tolist()}


def steps_of(columns: Columns, random: np.random.Generator) -> Columns:
    """Steps table of consecutive stretches of rows, two or three per cycle, with rests."""
    rows = len(columns[VOLTAGE])
    edges = sorted(random.choice(np.arange(1, rows), size=min(6, rows - 2), replace=False).tolist())
    starts, ends = [0, *edges], [*[edge - 1 for edge in edges], rows - 1]
    count = len(starts)
    return {
        "Step count": list(range(count)),
        "Cycle count": [number // 3 for number in range(count)],
        "Step type": ["Rest" if number % 2 else "Constant current discharge" for number in range(count)],
        "Start index": starts,
        "End index": ends,
        "Start voltage [V]": [columns[VOLTAGE][row] for row in starts],
        "End voltage [V]": [columns[VOLTAGE][row] for row in ends],
    }


def theirs(columns: Columns, options: Any, steps: Any = None, window: Any = None) -> dict[str, np.ndarray]:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pd.DataFrame(columns)
        if steps is None:
            frame = load.window_rows(frame, window)
        loader = iwdata.DataLoader(frame, steps, options=options, time_range=window)
        return {name: loader.data[name].to_numpy() for name in loader.data.columns}


def ours(columns: Columns, options: Any, steps: Any, window: Any, names: list[str]) -> dict[str, np.ndarray]:
    data: Any = {"data": columns if steps is None else {"time_series": columns, "steps": steps}, "options": options}
    if window is not None:
        data["time_range"] = window
    loaded = measured(data, ("data",), Needs(names, names[0], rows=1))
    assert loaded.faults == []
    return loaded.columns


def assert_same(columns: Columns, options: Any, steps: Any = None, window: Any = None) -> None:
    expected = theirs(columns, options, steps, window)
    names = [name for name in (VOLTAGE, CAPACITY, TIME, CURRENT) if name in expected]
    found = ours(columns, options, steps, window, names)
    for name in names:
        assert found[name].tolist() == expected[name].astype(float).tolist(), name


CURVES: dict[str, Any] = {
    "sort": {"sort": True},
    "remove_duplicates": {"remove_duplicates": True},
    "both": {"sort": True, "remove_duplicates": True},
    "remove_extremes": {"sort": True, "remove_extremes": True},
    "transforms": {"transforms": {"sort": True}},
    "transforms come first": {"sort": True, "transforms": {"sort": False, "remove_duplicates": True}},
    "filters": {
        "filters": {
            VOLTAGE: {"filter_type": "savgol", "parameters": {"window_length": 7, "polyorder": 2}},
            CAPACITY: {"filter_type": "savgol", "parameters": {"window_length": 5, "polyorder": 1, "mode": "nearest"}},
        }
    },
    "interpolate at a spacing": {"interpolate": 3},
    "interpolate at knots": {"interpolate": [0.0, 3.5, 4.0, 1e6]},
    "capacity_column": {"capacity_column": TIME, "sort": True},
    "all": {
        "sort": True,
        "remove_duplicates": True,
        "remove_extremes": True,
        "filters": {VOLTAGE: {"filter_type": "savgol", "parameters": {"window_length": 3, "polyorder": 1}}},
    },
}


@pytest.mark.parametrize("options", CURVES.values(), ids=CURVES.keys())
def test_curves(options: Any) -> None:
    for seed in range(TABLES):
        assert_same(curve(np.random.default_rng(seed)), options)


def test_curves_that_are_named_otherwise() -> None:
    for seed, name in zip(range(TABLES), ["OCP [V]", "OCV [V]", "Open-circuit potential [V]"] * TABLES, strict=False):
        columns = curve(np.random.default_rng(seed))
        columns[name] = columns.pop(VOLTAGE)
        assert_same(columns, {"sort": True, "remove_duplicates": True})


Chosen = Callable[[Columns, np.random.Generator], dict[str, Any]]
STEPS: dict[str, Chosen] = {
    "none": lambda steps, random: {},
    "first_step": lambda steps, random: {"first_step": int(random.integers(0, 4))},
    "last_step": lambda steps, random: {"last_step": int(random.integers(0, 9))},
    "both": lambda steps, random: {"first_step": 1, "last_step": int(random.integers(1, 4))},
    "from the end": lambda steps, random: {"first_step": -2, "last_step": -1},
    "older spellings": lambda steps, random: {"first_step_dict": {"cycle": 1}, "last_step_dict": {"step": 5}},
    "cycles": lambda steps, random: {"first_step": {"cycle": 0}, "last_step": {"cycle": int(random.integers(0, 2))}},
    "queries": lambda steps, random: {
        "first_step": load.first_step_from_cycle(1),
        "last_step": load.last_step_from_cycle(1),
    },
    "query by type": lambda steps, random: {
        "first_step": """SELECT * FROM steps WHERE "Step type" = 'Rest' AND "Step count" > 0 ORDER BY "Step count"
        LIMIT 1""",
    },
    "rests": lambda steps, random: {"rest_to_ocp": True},
    "rests and the first point": lambda steps, random: {"rest_to_ocp": True, "keep_first_ocp_point": True},
    "rests, sorted": lambda steps, random: {"transforms": {"rest_to_ocp": True, "sort": True}, "first_step": 1},
}  # fmt: skip


@pytest.mark.parametrize("chosen", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("with_capacity", ["no", "one", "both", "counted"])
def test_steps(chosen: Chosen, with_capacity: str) -> None:
    for seed in range(TABLES):
        random = np.random.default_rng(seed)
        columns = series(random)
        steps = steps_of(columns, random)
        rows = len(columns[TIME])
        if with_capacity in ("one", "counted"):
            columns[CAPACITY] = np.cumsum(random.random(rows)).tolist()
        if with_capacity == "both":
            columns["Discharge capacity [A.h]"] = np.cumsum(random.random(rows)).tolist()
            columns["Charge capacity [A.h]"] = (np.arange(rows) % 11 * 0.1).tolist()
        if with_capacity == "counted":
            columns["Step count"] = np.repeat(np.arange(rows), 7)[:rows].tolist()
        options = chosen(steps, random)
        if with_capacity == "both" and "rest" in str(options) and "sort" in str(options):
            columns.pop(CAPACITY, None)
        assert_same(columns, options, steps)
        low, high = columns[TIME][rows // 5], columns[TIME][-rows // 5]
        if "rest_to_ocp" not in str(options) and "first" not in str(options) and "last" not in str(options):
            assert_same(columns, options, steps, {"start": low, "end": high})


@pytest.mark.parametrize("table", [curve, series])
def test_windows_of_time(table: Callable[[np.random.Generator], Columns]) -> None:
    for seed in range(TABLES):
        random = np.random.default_rng(seed)
        columns = table(random)
        low, high = sorted(random.uniform(0, columns[TIME][-1], 2).tolist())
        assert_same(columns, {}, window={"start": columns[TIME][1] + 5e-7, "end": max(high, columns[TIME][3])})
        if any(low <= time <= high for time in columns[TIME]):
            assert_same(columns, {}, window={"start": low, "end": high})


def test_windows_of_time_within_steps() -> None:
    for seed in range(TABLES):
        random = np.random.default_rng(seed)
        columns = series(random)
        steps = steps_of(columns, random)
        times = columns[TIME][steps["Start index"][1] :]
        window = {"start": times[len(times) // 4], "end": times[-len(times) // 4]}
        assert_same(columns, {"first_step": 1}, steps, window)


def test_a_window_of_time_does_nothing_where_there_is_no_time() -> None:
    for seed in range(TABLES):
        columns = curve(np.random.default_rng(seed))
        del columns[TIME]
        assert_same(columns, {}, window={"start": 3.5, "end": 4.0})


def test_spectra() -> None:
    """A spectrum has no times: a window filters by `Time [s]` if the spectrum has that column."""
    for seed in range(TABLES):
        random = np.random.default_rng(seed)
        columns = {"Frequency [Hz]": (10 ** random.uniform(-2, 4, 20)).tolist(), VOLTAGE: [3.7] * 20}
        for name in ("Z_Re [Ohm]", "Z_Im [Ohm]"):
            columns[name] = random.random(20).tolist()
        columns[TIME] = np.cumsum(random.random(20)).tolist()
        window = {"start": 0.0, "end": columns[TIME][10]}
        expected = theirs(columns, {}, window=window)
        names = ["Frequency [Hz]", "Z_Re [Ohm]", "Z_Im [Ohm]"]
        found = ours(columns, {}, None, window, names)
        assert {name: found[name].tolist() for name in names} == {name: expected[name].tolist() for name in names}
