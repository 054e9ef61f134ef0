"""Formats of measurement files: what is guessed, normalised and reported."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from app.battery.ingest.errors import IngestError
from tests.ingest.files import discharge, ingested, normalised, parquet_bytes
from tests.ingest.test_cyclers import maccor

CONVENTION = ["Time [s]", "Current [A]", "Voltage [V]"]
NOTHING_RENAMED = [
    "`Step count` was added: a step ends where the current changes its sign.",
    "`Cycle count` was added.",
]


def test_parquet_by_the_convention_keeps_each_digit(tmp_path: Path) -> None:
    frame = discharge()
    answer = ingested(parquet_bytes(frame, tmp_path), tmp_path, "cell.parquet", format="PARQUET")
    assert_frame_equal(normalised(answer).select(CONVENTION), frame, check_exact=True)
    assert answer["rows"] == 200
    assert answer["changes"] == NOTHING_RENAMED


def test_csv_by_the_convention_keeps_each_digit(tmp_path: Path) -> None:
    frame = discharge()
    answer = ingested(frame.write_csv().encode(), tmp_path)
    assert_frame_equal(normalised(answer).select(CONVENTION), frame, check_exact=True)
    assert answer["changes"] == [
        "Columns are separated by comma; decimal point; 1 lines before the numbers.",
        *NOTHING_RENAMED,
    ]


def test_the_answer_is_json_and_describes_the_columns(tmp_path: Path) -> None:
    answer = ingested(discharge().write_csv().encode(), tmp_path)
    json.dumps(answer, allow_nan=False)
    assert answer["columns"][1] == {"name": "Current [A]", "unit": "A", "min": 0.0, "max": 2.5, "missing": 0}
    assert answer["steps"]["Step type"] == ["Rest", "Constant current discharge", "Rest"]
    assert answer["steps"]["Start index"] == [0, 20, 180]
    assert answer["cycles"]["Discharge capacity [A.h]"][0] == pytest.approx(2.5 * 159 / 3600, rel=0.01)
    assert pl.read_parquet(answer["steps_parquet"]).height == 3


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_decimal_comma_and_a_preamble_are_guessed_and_told(tmp_path: Path, delimiter: str) -> None:
    frame = discharge()
    rows = "\n".join(delimiter.join(f"{each:.6f}".replace(".", ",") for each in row) for row in frame.iter_rows())
    header = delimiter.join(["Time (min)", "Current (mA)", "Voltage"])
    text = f"Cell 7{delimiter}{delimiter}\nOperator: A. Nobody\n\n{header}\n{rows}\n"
    answer = ingested(text.encode(), tmp_path)
    found = normalised(answer)
    assert found["Time [s]"].to_list() == pytest.approx((frame["Time [s]"] * 60).to_list())
    assert found["Current [A]"].to_list() == pytest.approx((frame["Current [A]"] / 1000).to_list())
    name = "semicolon" if delimiter == ";" else "tab"
    assert answer["changes"][:4] == [
        f"Columns are separated by {name}; decimal comma; 4 lines before the numbers.",
        "`Time (min)` is `Time [s]`, times 60.",
        "`Current (mA)` is `Current [A]`, times 0.001.",
        "`Voltage` is `Voltage [V]`: it states no unit.",
    ]


def test_a_quoted_decimal_comma_beside_commas_is_read(tmp_path: Path) -> None:
    text = '"Time [s]","Current [A]","Voltage [V]"\n"0,5","1,25","4,1"\n"1,5","-1,25","4,0"\n"2,5","0","3,9"\n'
    answer = ingested(text.encode(), tmp_path)
    assert answer["changes"][0] == "Columns are separated by comma; decimal comma; 1 lines before the numbers."
    assert normalised(answer).select(CONVENTION).rows() == [(0.5, 1.25, 4.1), (1.5, -1.25, 4.0), (2.5, 0.0, 3.9)]


def test_a_comma_that_may_separate_thousands_is_refused(tmp_path: Path) -> None:
    text = 'Time [s],Voltage [mV]\n0,"3,612"\n1,"3,611"\n'
    with pytest.raises(IngestError, match=r"'3,612' in line 2 is either 3\.612 or 3612\."):
        ingested(text.encode(), tmp_path)


def test_a_point_beside_decimal_commas_is_no_number(tmp_path: Path) -> None:
    text = "Time [s];Voltage [V];Current [A];Pressure\n0,5;4,1;1,0;1.013\n1,5;4,0;1,0;1.014\n"
    answer = ingested(text.encode(), tmp_path)
    assert "Pressure" not in normalised(answer).columns
    assert "`Pressure` holds text, '1.013' in row 0; the column was left out." in answer["changes"]
    with pytest.raises(
        IngestError, match=r"`Voltage \[V\]` must hold numbers; row 1 \(line 3 of the file\) has '4\.000'"
    ):
        ingested(text.replace("4,0", "4.000").encode(), tmp_path)


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_no_row_is_lost_to_other_marks_of_line_ends(tmp_path: Path, mark: str, end: str) -> None:
    lines = [f"Made by{mark}a cycler", "Time [s],Current [A],Voltage [V]", "0,1,4.1", "1,1,4.0", "2,1,3.9"]
    answer = ingested((end.join(lines) + end).encode(), tmp_path)
    assert normalised(answer).select(CONVENTION).rows() == [(0, 1, 4.1), (1, 1, 4.0), (2, 1, 3.9)]
    assert answer["changes"][0] == "Columns are separated by comma; decimal point; 2 lines before the numbers."


def test_lines_that_end_in_cr_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="end in CR alone"):
        ingested(b"Time [s],Voltage [V]\r0,4.1\r1,4.0\r", tmp_path)


def test_a_time_that_falls_is_told(tmp_path: Path) -> None:
    text = "Time [s],Current [A],Voltage [V]\n0,1,4.1\n1,1,4.0\n1,1,4.0\n0,1,3.9\n1,1,3.8\n0.5,1,3.7\n"
    told = "falls in row 3, from 1 to 0, and 1 more times: fits and validations need a time that never falls."
    assert f"`Time [s]` {told}" in ingested(text.encode(), tmp_path)["changes"]


@pytest.mark.parametrize("name", ["Test Time", "Time [h:mm:ss]", "Time (hh:mm:ss.s)"])
@pytest.mark.parametrize(("delimiter", "mark"), [(",", "."), (";", ",")])
def test_a_time_of_hours_minutes_and_seconds_is_read(tmp_path: Path, name: str, delimiter: str, mark: str) -> None:
    times = ["0:00:00.0", "0:00:30.5", "0:59:59.9", "1:00:00.0", "100:00:00.25"]
    rows = [delimiter.join([time, "4.1", "1.5"]).replace(".", mark) for time in times]
    text = "\n".join([delimiter.join([name, "Voltage [V]", "Current [A]"]), *rows])
    answer = ingested(text.encode(), tmp_path)
    assert normalised(answer)["Time [s]"].to_list() == [0, 30.5, 3599.9, 3600, 360000.25]
    assert f"`{name}` holds hours, minutes and seconds, '0:00:00{mark}0' in row 0." in answer["changes"]


def test_a_time_in_seconds_wins_over_one_of_a_clock(tmp_path: Path) -> None:
    rows = "12:00:00,0,4.1\n12:00:01,1,4.0\n12:00:02,2,3.9\n"
    for name in ("Time", "Test Time"):
        answer = ingested(f"{name},Time [s],Voltage [V]\n{rows}".encode(), tmp_path)
        assert normalised(answer)["Time [s]"].to_list() == [0, 1, 2]


def test_two_times_of_hours_minutes_and_seconds_are_refused(tmp_path: Path) -> None:
    text = "Time,Time (h:mm:ss),Voltage [V],I/A\n12:00:00,0:00:00,4.1,1\n12:00:01,0:00:01,4.0,1\n"
    with pytest.raises(IngestError, match=r"`Time \(h:mm:ss\)` and another column both are `Time \[s\]`"):
        ingested(text.encode(), tmp_path)


def test_units_in_words_are_converted(tmp_path: Path) -> None:
    text = "Time (minutes),Voltage (volts),Current (milliamps)\n0,4.1,1000\n1,4.0,1000\n"
    found = normalised(ingested(text.encode(), tmp_path))
    assert found.select(CONVENTION).rows() == [(0, 1, 4.1), (60, 1, 4.0)]


def test_a_row_of_units_is_joined_to_the_names(tmp_path: Path) -> None:
    text = "Time,Voltage,Current\n(h),(mV),(A)\n0,4100,1\n1,4000,1\n2,3900,1\n"
    answer = ingested(text.encode(), tmp_path)
    assert normalised(answer)["Time [s]"].to_list() == [0, 3600, 7200]
    assert normalised(answer)["Voltage [V]"].to_list() == pytest.approx([4.1, 4.0, 3.9])


def test_a_reversed_current_is_reversed_and_told(tmp_path: Path) -> None:
    current = pl.when(pl.col("Current [A]") > 0).then(-2.5).otherwise(0.0)
    frame = discharge().with_columns(current.alias("Current [A]"))
    for content, name in ((frame.write_csv().encode(), "a.csv"), (parquet_bytes(frame, tmp_path), "a.parquet")):
        folder = tmp_path / name
        folder.mkdir()
        answer = ingested(content, folder, name)
        current = normalised(answer)["Current [A]"]
        assert current.max() == 2.5
        assert "-0.0" not in map(str, current)
        assert any(each.startswith("`Current [A]` was reversed") for each in answer["changes"])


def test_a_current_without_signs_is_told(tmp_path: Path) -> None:
    frame = discharge()
    charge = frame.with_columns(pl.col("Time [s]") + 200, pl.col("Voltage [V]").reverse())
    answer = ingested(pl.concat([frame, charge]).write_csv().encode(), tmp_path)
    assert any("never changes its sign" in each for each in answer["changes"])


def test_columns_of_text_are_left_out_and_told(tmp_path: Path) -> None:
    frame = discharge().with_columns(pl.lit("CC").alias("Mode"))
    answer = ingested(frame.write_csv().encode(), tmp_path)
    assert "Mode" not in normalised(answer).columns
    assert "`Mode` holds text, 'CC' in row 0; the column was left out." in answer["changes"]


def test_other_columns_of_numbers_are_kept_under_their_names(tmp_path: Path) -> None:
    frame = discharge().with_columns(pl.lit(1.5).alias("Pressure [bar]"))
    assert normalised(ingested(frame.write_csv().encode(), tmp_path))["Pressure [bar]"].to_list() == [1.5] * 200


def test_missing_values_of_other_columns_are_counted(tmp_path: Path) -> None:
    text = "Time [s],Voltage [V],Temperature [degC]\n0,4,25\n1,3.9,\n2,3.8,NaN\n"
    columns = ingested(text.encode(), tmp_path)["columns"]
    assert {each["name"]: each["missing"] for each in columns}["Temperature [degC]"] == 2


def test_a_curve_without_time_has_no_steps(tmp_path: Path) -> None:
    answer = ingested(b"Stoichiometry,Voltage [V]\n0.1,4.2\n0.5,3.8\n0.9,3.5\n", tmp_path)
    assert (answer["steps"], answer["steps_parquet"], answer["cycles"]) == (None, None, None)


def test_the_preview_keeps_a_peak_of_many_rows(tmp_path: Path) -> None:
    frame = discharge(50_000)
    frame = frame.with_columns(
        pl.when(pl.col("Time [s]") == 33_333).then(9.0).otherwise("Voltage [V]").alias("Voltage [V]")
    )
    shown = ingested(parquet_bytes(frame, tmp_path), tmp_path, "a.parquet")["preview"]
    assert len(shown["Time [s]"]) <= 5_000
    assert max(shown["Voltage [V]"]) == 9.0
    assert shown["Time [s]"][shown["Voltage [V]"].index(9.0)] == 33_333


def test_a_named_reader_is_used(tmp_path: Path) -> None:
    answer = ingested(maccor().encode(), tmp_path, "cell.txt", format="CYCLER", reader="Maccor")
    assert answer["changes"][0].startswith("Read by ionworksdata 0.20.2 as `maccor`:")
