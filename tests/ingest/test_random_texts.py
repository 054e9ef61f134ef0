"""Random text files: each is read exactly, or refused where no common program writes its form."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.battery.ingest.errors import IngestError
from tests.ingest.files import ingested, normalised

NAMES = [
    ["Time [s]", "Current [A]", "Voltage [V]"],
    ["t/s", "I/A", "Ecell/V"],
    ["Time (s)", "Current (A)", "Voltage (V)"],
]
LINES = st.text(
    st.characters(codec="utf-8", exclude_characters='\n\r\x00"', exclude_categories=["Cs"]), min_size=0, max_size=40
)
NUMBERS = st.one_of(
    st.floats(-5, 5).map(lambda each: round(each, 6)), st.integers(-20_000, 20_000).map(float), st.just(0.0)
)


@dataclass(frozen=True)
class Text:
    """A text file and the numbers in it."""

    content: bytes
    rows: list[tuple[float, float, float]]
    is_common: bool


@st.composite
def texts(draw: st.DrawFn) -> Text:
    """Draw a text file of three columns in one of the forms that exports have."""
    delimiter, mark = draw(st.sampled_from(list(",;\t|"))), draw(st.sampled_from(list(".,")))
    digits = draw(st.sampled_from(["g", ".3f", ".6f", "e"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r\r\n"]))
    dialect = draw(st.sampled_from([csv.excel, csv.unix_dialect]))  # without quotes, and with
    measured = draw(st.lists(st.tuples(NUMBERS, st.floats(2, 4.5)), min_size=2, max_size=20))
    given_rows = [(float(time), current, voltage) for time, (current, voltage) in enumerate(measured)]
    written = [[f"{each:{digits}}" for each in row] for row in given_rows]
    out = io.StringIO()
    writer = csv.writer(out, dialect, delimiter=delimiter, lineterminator=end)
    for line in draw(st.lists(LINES, max_size=4)):
        out.write(line + end)
    writer.writerow(draw(st.sampled_from(NAMES)))
    for row in written:
        writer.writerow([each.replace(".", mark) for each in row])
    rows = [(float(time), float(current), float(voltage)) for time, current, voltage in written]
    is_common = end != "\r\r\n" or '"' not in out.getvalue()
    return Text(out.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8-sig"]))), rows, is_common)


@given(text=texts())
@settings(max_examples=150)
def test_numbers_of_a_text_are_exact_or_it_is_refused(text: Text) -> None:
    with TemporaryDirectory() as folder:
        try:
            answer = ingested(text.content, Path(folder))
        except IngestError:
            assert not text.is_common
            return
        found = normalised(answer)
        sign = -1 if any("was reversed" in change for change in answer["changes"]) else 1
        assert found["Time [s]"].to_list() == [row[0] for row in text.rows]
        assert (found["Current [A]"] * sign).to_list() == [row[1] for row in text.rows]
        assert found["Voltage [V]"].to_list() == pytest.approx([row[2] for row in text.rows], abs=0)
