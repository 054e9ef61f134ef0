"""References to stored measurements: the same answers as for the same data in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pybamm
import pytest

from app.battery.ingest import errors
from app.battery.objectives.data import measurements
from app.execution.executor import DataFile, Fault, Job, Outcome
from tests.battery.work import EXECUTOR, job, parameter_set
from tests.ingest.files import ingested, parquet_bytes

SMOOTH = {"filter_type": "savgol", "parameters": {"window_length": 9, "polyorder": 2}}
ID = "0198f2c4-aaaa-7bbb-8ccc-0123456789ab"
NAME = "Positive particle diffusivity [m2.s-1]"
TRUTH = 4e-15
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
Columns = dict[str, list[Any]]


@pytest.fixture(scope="module")
def columns() -> Columns:
    """A discharge of Chen2020 at 1C with a rest before it, with a known diffusivity of the positive electrode."""
    time: np.ndarray = np.arange(0, 1_200, 0.5)
    current = np.where(time < 100, 0.0, 5.0)
    values = pybamm.ParameterValues("Chen2020")
    values[NAME] = TRUTH
    values["Current function [A]"] = pybamm.Interpolant(time, current, pybamm.t)
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10)
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), parameter_values=values, solver=solver)
    voltage = simulation.solve(t_eval=np.array([0, 99.5, 100, time[-1]]), t_interp=time)["Voltage [V]"](time)
    return {TIME: time.tolist(), CURRENT: current.tolist(), VOLTAGE: voltage.tolist()}


@pytest.fixture
def stored(columns: Columns, tmp_path: Path) -> dict[str, DataFile]:
    return {ID: store(columns, tmp_path)}


def store(columns: Columns, folder: Path) -> DataFile:
    answer = ingested(parquet_bytes(pl.DataFrame(columns), folder), folder, "a.parquet")
    return DataFile(answer["parquet"], "0" * 64, answer["rows"])


def fit(data: Any) -> dict[str, Any]:
    return {
        "element_type": "data_fit",
        "objectives": {"1C": {"type": "CurrentDriven", "data": data, "options": {"model": {"type": "SPM"}}}},
        "parameters": {NAME: {"initial_value": 2e-15, "bounds": [1e-16, 1e-13]}},
        "optimizer": {"type": "ScipyLeastSquares"},
        "options": {"seed": 1},
    }


def with_files(config: dict[str, Any], files: dict[str, DataFile]) -> Job:
    plain = job(config)
    return Job(plain.name, plain.type, config, files)


def faults(config: dict[str, Any], files: dict[str, DataFile]) -> list[Fault]:
    return EXECUTOR.check([with_files(config, files)])[0]


def run(config: dict[str, Any], files: dict[str, DataFile]) -> Outcome:
    assert faults(config, files) == []
    return EXECUTOR.run(with_files(config, files), parameter_set("Chen2020"), lambda progress: None)


def test_a_fit_has_the_digits_of_the_same_data_in_the_configuration(
    columns: Columns, stored: dict[str, DataFile]
) -> None:
    inline, referenced = run(fit({"data": columns}), {}), run(fit(f"db:{ID}"), stored)
    assert referenced.result["parameter_values"] == inline.result["parameter_values"]
    assert referenced.result["cost"] == inline.result["cost"]
    assert referenced.result["standard_errors"] == inline.result["standard_errors"]
    assert referenced.result["parameter_values"][NAME] == pytest.approx(TRUTH, rel=1e-3)
    assert referenced.series[0].channels == inline.series[0].channels


@pytest.mark.parametrize(
    "beside",
    [
        {"time_range": {"start": 50, "end": 600}},
        {"options": {"first_step": 1}},
        {"options": {"first_step": {"step": 0}, "last_step": 0}},
        {"options": {"first_step": {"cycle": 0}}, "time_range": {"start": 50, "duration": 500}},
        {"options": {"transforms": {"interpolate": 10.0}}},
        {"options": {"filters": {VOLTAGE: SMOOTH}}},
    ],
)  # fmt: skip
def test_options_have_the_effect_that_they_have_inline(
    columns: Columns, stored: dict[str, DataFile], beside: dict[str, Any]
) -> None:
    steps = {
        "Start index": [0, 200],
        "End index": [199, len(columns[TIME]) - 1],
        "Step count": [0, 1],
        "Cycle count": [0, 0],
        "Step type": ["Rest", "Constant current discharge"],
    }
    validation = {"element_type": "validation"}
    inline = fit({"data": {"time_series": columns, "steps": steps}, **beside})["objectives"]
    referenced = fit({"data": f"db:{ID}", **beside})["objectives"]
    expected = run(validation | {"objectives": inline}, {})
    found = run(validation | {"objectives": referenced}, stored)
    assert found.series[0].channels == expected.series[0].channels
    assert found.result["summary_stats"] == expected.result["summary_stats"]
    assert found.result["effective_config"] == expected.result["effective_config"]


SQL = "select * from read_csv('/etc/hostname')"
PLACE = ("objectives", "1C", "data")


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        ({"data": f"db:{ID}", "options": {"first_step": SQL}}, (*PLACE, "options", "first_step"), "SQL is refused"),
        ({"data": f"db:{ID}", "options": {"last_step": SQL}}, (*PLACE, "options", "last_step"), "SQL is refused"),
        ({"data": f"db:{ID}", "options": {"first_step": 7}}, (*PLACE, "options", "first_step"), "must not be less"),
        ({"data": f"db:{ID}", "time_range": {"start": 9e5, "end": 1e6}}, (*PLACE, "time_range"), "selects no rows"),
        ({"data": f"db:{ID}", "analysis": {"name": "x"}}, (*PLACE, "analysis"), "A stored analysis is not supported"),
        ({"data": f"db:{ID}", "colour": 1}, (*PLACE, "colour"), "Unknown field 'colour'"),
        ("db:unknown", PLACE, "is not a measurement that this pipeline may read"),
        ("db:../../etc/passwd", PLACE, "is no reference"),
        ("file:cell.csv", PLACE, "is not supported: data must be in the configuration itself"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_place(
    stored: dict[str, DataFile], data: Any, path: tuple[str, ...], message: str
) -> None:
    [fault] = faults(fit(data), stored)
    assert fault.path == path
    assert message in fault.message


def test_a_lacking_column_is_named(tmp_path: Path) -> None:
    files = {ID: store({TIME: [0.0, 1.0], "Voltage [V]": [4.0, 3.9]}, tmp_path)}
    [fault] = faults(fit(f"db:{ID}"), files)
    assert fault.path == (*PLACE, CURRENT)
    assert "The data lack Current [A]" in fault.message


def test_falling_times_are_named_by_their_row(tmp_path: Path) -> None:
    files = {ID: store({TIME: [0.0, 2.0, 1.0], CURRENT: [1.0] * 3, VOLTAGE: [4.0, 3.9, 3.8]}, tmp_path)}
    [fault] = faults(fit(f"db:{ID}"), files)
    assert fault.path == (*PLACE, TIME, 2)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    [fault] = faults(fit(f"db:{ID}"), {ID: DataFile(str(tmp_path / "none"), "0" * 64, 10)})
    assert fault.path == PLACE
    assert "cannot be read" in fault.message
    assert str(tmp_path) not in fault.message


def test_without_the_extra_a_reference_says_what_is_missing(
    stored: dict[str, DataFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    [fault] = faults(fit(f"db:{ID}"), stored)
    assert fault.path == PLACE
    assert "Install the extra `data`: pip install 'voltgraph[data]'" in fault.message


def test_the_numbers_of_a_measurement_are_limited(stored: dict[str, DataFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "MAX_STORED_NUMBERS", 7_000)
    [fault] = faults(fit(f"db:{ID}"), stored)
    assert "2,400 rows of 3 columns are more than 7,000 numbers" in fault.message


def test_a_calculation_has_the_digits_of_the_same_data_in_the_configuration(tmp_path: Path) -> None:
    x = np.linspace(0.1, 0.9, 41).tolist()
    curve = {"Stoichiometry": x, VOLTAGE: (4.2 - np.array(x) ** 2).tolist()}
    files = {ID: store(curve, tmp_path)}
    config = {"element_type": "calculation", "type": "OCPDataInterpolant", "electrode": "positive"}
    inline, referenced = run(config | {"data": curve}, {}), run(config | {"data": {"data": f"db:{ID}"}}, files)
    assert referenced.result["parameter_values"] == inline.result["parameter_values"]
    [fault] = faults(config | {"data": {"data": f"db:{ID}", "options": {"first_step": SQL}}}, files)
    assert fault.path == ("data", "options", "first_step")


def test_references_in_other_places_stay_texts(stored: dict[str, DataFile]) -> None:
    entry = {"element_type": "entry", "values": {"x": 1.0}, "source": f"db:{ID}"}
    result = EXECUTOR.run(with_files(entry, stored), {}, lambda progress: None).result
    assert result["effective_config"]["source"] == f"db:{ID}"
