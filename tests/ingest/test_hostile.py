"""Hostile measurement files: each is refused with a message that names the place."""

from __future__ import annotations

import gzip
import io
import resource
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from app.battery.ingest import errors, ingest
from app.battery.ingest.limits import Limits, limited_memory
from app.execution.executor import IngestError
from tests.ingest.files import LIMITS, discharge, ingested, parquet_bytes

HEADER = b"Time [s],Current [A],Voltage [V]\n"
ROWS = b"0,1,4.0\n1,1,3.9\n2,1,3.8\n"


def refusal(content: bytes, folder: Path, filename: str = "test.csv", **options: object) -> str:
    """Return the message of the refusal; nothing may be written."""
    with pytest.raises(IngestError) as caught:
        ingested(content, folder, filename, **options)
    assert not list(folder.glob("normalised*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01\x02\x03", "byte 0 is zero"),
        (HEADER + ROWS + b"3,1,\x003.7\n", "The file is no text: byte 61 is zero."),
        ("Time [s],Voltage [V]\n0,1\n".encode("utf-16"), "UTF-16. Save it as UTF-8"),
        (b"hello\nworld\n", "The text has no table"),
        (ROWS, "line 1 holds numbers, and no line before it has 3 names"),
        (HEADER, "The text has no table"),
        (b"Time [s],Current [A],Time [s]\n" + ROWS, "2 columns have the name 'Time [s]'"),
        (b"time,Test Time (s),Voltage [V]\n0,0,4\n1,1,4\n", "`time` and `Test Time (s)` both are `Time [s]`"),
        (b"Pressure [bar],Angle [deg]\n0,1\n1,2\n", "One column must be `Time [s]`"),
        (
            b"Time,Voltage [V]\n2026-01-01,4\n2026-01-02,4\n",
            "`Time` holds text, '2026-01-01' in row 0; the column was left out.",
        ),
        (b"Time,Voltage [V]\n0:59:00,4\n0:60:00,4\n", "`Time` holds text, '0:59:00' in row 0; the column was left out"),
        (b"Time [s],,Voltage [V]\n0,1,4\n1,2,4\n", "Column 2 has no name"),
        (HEADER + ROWS + b"3,high,3.7\n", "`Current [A]` must hold numbers; row 3 (line 5 of the file) has 'high'"),
        (HEADER + ROWS + b"3,1,NaN\n", "`Voltage [V]` must hold a number in each row; row 3 has none"),
        (HEADER + ROWS + b"3,inf,3.7\n", "`Current [A]` must hold finite numbers; row 3 has inf"),
        (HEADER + ROWS + b"3,1\n", "`Voltage [V]` must hold a number in each row; row 3 has none"),
        (HEADER + ROWS + b"3,1,3.7,8\n", "Line 5 has 4 fields; the header has 3."),
    ],
)
def test_texts(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refusal(content, tmp_path)


def test_two_columns_that_mean_the_same_are_kept_apart_if_one_has_the_name_of_the_convention(tmp_path: Path) -> None:
    answer = ingested(b"Time [s],Voltage [V],Voltage (mV)\n0,4,4000\n1,3.9,3900\n", tmp_path)
    assert {each["name"] for each in answer["columns"]} >= {"Voltage [V]", "Voltage (mV)"}


@pytest.mark.parametrize("filename", ["../../etc/passwd.csv", "/etc/passwd", "a\\b.csv", "", "a\nb.csv", "x" * 300])
def test_names_with_paths(tmp_path: Path, filename: str) -> None:
    assert "The file name" in refusal(HEADER + ROWS, tmp_path, filename)


def test_access_databases_start_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a program was started"))
    jet = b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(4096)
    for content, name in ((jet, "cell.res"), (jet, "cell.txt"), (HEADER + ROWS, "cell.RES")):
        for kind in (None, "CYCLER", "CSV"):
            assert "Arbin .res files are not read" in refusal(content, tmp_path, name, format=kind)
    assert "Unknown reader 'arbin_res'" in refusal(HEADER + ROWS, tmp_path, format="CYCLER", reader="arbin_res")


def test_truncated_parquet(tmp_path: Path) -> None:
    whole = parquet_bytes(discharge(5_000), tmp_path)
    for size in (4, 11, 100, len(whole) // 2, len(whole) - 1):
        assert "The Parquet file" in refusal(whole[:size], tmp_path, "a.parquet")


def test_wrong_magic(tmp_path: Path) -> None:
    assert "The file is no Parquet: it begins with b'Time'" in refusal(HEADER + ROWS, tmp_path, format="PARQUET")
    binary = parquet_bytes(discharge(), tmp_path)
    assert "The file is no CSV: it begins with b'PAR1'" in refusal(binary, tmp_path, format="CSV")
    assert "`format` must be PARQUET, CSV, CYCLER" in refusal(binary, tmp_path, format="EXCEL")


def test_each_damaged_byte_of_a_parquet_file_is_refused_or_read(tmp_path: Path) -> None:
    """A reader may panic or fail, but only as IngestError."""
    whole = bytearray(parquet_bytes(discharge(50), tmp_path))
    messages = []
    for at in range(4, len(whole), 17):
        damaged = bytes(whole[:at]) + bytes([whole[at] ^ 0xFF]) + bytes(whole[at + 1 :])
        try:
            ingested(damaged, tmp_path, "a.parquet")
        except IngestError as error:
            messages.append(str(error))
    assert messages
    assert [each for each in messages if str(tmp_path) in each or len(each) > 600] == []


def test_a_footer_of_a_wrong_length(tmp_path: Path) -> None:
    whole = parquet_bytes(discharge(), tmp_path)
    bomb = whole[:-8] + (0xFFFFFFF0).to_bytes(4, "little") + b"PAR1"
    assert "states a footer of 4,294,967,280 bytes" in refusal(bomb, tmp_path, "a.parquet")


def test_more_rows_than_allowed_are_refused_by_the_footer(tmp_path: Path) -> None:
    """A thousand million equal rows take a few kilobytes."""
    part = pl.DataFrame({name: pl.repeat(1.0, 20_000_000, eager=True) for name in ("Time [s]", "Voltage [V]")})
    content = parquet_bytes(part, tmp_path)
    assert len(content) < 1 << 20
    assert "has 20,000,000 rows; at most 10,000,000 are allowed" in refusal(content, tmp_path, "a.parquet")
    message = refusal(content, tmp_path, "a.parquet", max_rows=10**9, max_decoded_bytes=1 << 28)
    assert "20,000,000 rows of 2 columns: 320,000,000 bytes decoded, at most 268,435,456 are allowed" in message


def test_too_many_rows_and_columns_of_text_are_refused_before_decoding(tmp_path: Path) -> None:
    content = HEADER + b"1,1,1\n" * 2_000
    assert "has 2,000 rows; at most 1,000 are allowed" in refusal(content, tmp_path, max_rows=1_000)
    wide = (",".join(f"Voltage {i} [V]" for i in range(300)) + "\n" + ",".join("1" * 300) + "\n").encode() * 2
    assert "has 300 columns; at most 200 are allowed" in refusal(wide, tmp_path)


def test_compressed_bombs(tmp_path: Path) -> None:
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(80_000_000))
    less = {"max_decoded_bytes": 1 << 26}
    for content, name, reader in (
        (sheet.getvalue(), "cell.xlsx", "neware"),
        (gzip.compress(bytes(80_000_000)), "cell.bdf.gz", "bdf"),
    ):
        assert len(content) < 200_000
        message = refusal(content, tmp_path, name, format="CYCLER", reader=reader, **less)
        assert "expands to more than 67,108,864 bytes" in message
    broken = refusal(sheet.getvalue()[:-30], tmp_path, "cell.xlsx", format="CYCLER", reader="neware", **less)
    assert "truncated or damaged" in broken
    cut = refusal(gzip.compress(HEADER + ROWS)[:-9], tmp_path, "a.bdf.gz", format="CYCLER", reader="bdf")
    assert "The gzip file is truncated" in cut


def test_files_of_no_cycler(tmp_path: Path) -> None:
    assert "No reader recognises the file" in refusal(HEADER + ROWS, tmp_path, "a.txt", format="CYCLER")
    for reader in ("maccor", "neware", "biologic", "gamry", "novonix", "digatron", "basytec", "repower"):
        message = refusal(HEADER + ROWS, tmp_path, "a.txt", format="CYCLER", reader=reader)
        assert f"The reader `{reader}` cannot read the file" in message
        assert str(tmp_path) not in message


def test_a_footer_with_fewer_rows_than_the_pages_is_refused(tmp_path: Path) -> None:
    rows = 1_000_000
    frame = pl.DataFrame({name: pl.repeat(1.0, rows, eager=True) for name in ("Time [s]", "Voltage [V]")})
    content = parquet_bytes(frame, tmp_path)
    told = varint(rows)
    assert told in content
    message = refusal(content.replace(told, varint(rows // 2)), tmp_path, "a.parquet")
    assert message == "The footer states 500,000 rows; the columns hold 1,000,000."


def test_memory_beyond_the_limit_is_refused() -> None:
    limits = Limits(rows=1, columns=1, decoded_bytes=1 << 20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(IngestError, match="more memory than it may use"), limited_memory(limits):
        np.ones(1 << 30)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def varint(number: int) -> bytes:
    """A whole number in Thrift's compact protocol."""
    value, found = number << 1, bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def test_an_upload_without_a_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(HEADER + ROWS)
    options = {"format": "CSV", "filename": None, "reader": None, "out": str(tmp_path), **LIMITS}
    assert ingest(str(path), options)["rows"] == 3


def test_without_the_extra_a_file_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    assert "Measurements need polars and ionworksdata. Install the extra `data`" in refusal(HEADER + ROWS, tmp_path)
