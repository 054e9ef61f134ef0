"""Files of cyclers, read by ionworksdata (MIT): names, units and the sign of the current by the convention."""

from __future__ import annotations

import re
import warnings
from importlib.metadata import version
from pathlib import Path

import polars as pl

from app.battery.checks.fields import shown, suggestion
from app.battery.ingest.errors import IngestError, first_line
from app.battery.ingest.file_types import ACCESS, PARQUET_MAGIC, require_expandable
from app.battery.ingest.limits import Limits
from app.battery.ingest.parquet_files import require_small

READERS = (
    "arbin", "basytec", "bdf", "biologic", "biologic csv", "biologic mpt", "digatron", "gamry", "maccor", "neware",
    "novonix", "repower",
)  # fmt: skip
"""Readers by their names in ionworksdata. None of them starts a program, other than Arbin's for `.res` files."""
OPTIONS = {
    "repower": {"cell_metadata": {"Lower voltage cut-off [V]": -1000.0, "Upper voltage cut-off [V]": 1000.0}},
}
"""Options of readers that need some: Repower's drops rows beyond the voltages of a cell, which are not known here."""
LEAST_ROWS = 10
EQUAL = 1e-5
"""Seconds between rows up to which their times count as equal."""
MAX_WARNINGS = 20
MAX_WARNING = 300
PATHS = re.compile(r"\S*/\S*")


def detect(path: Path) -> str | None:
    """Return the reader for a file, by its content and suffix; None if it is of no known cycler."""
    from ionworksdata.read.detect import detect_reader

    try:
        found = detect_reader(path)
    except Exception:  # the reader's checks fail on files of other kinds in many ways
        return None
    return found if found in READERS else None


def read_cycler(path: Path, reader: str, limits: Limits) -> tuple[pl.DataFrame, list[str]]:
    """Return the table that a reader makes of a file, and its changes. Raises IngestError."""
    if reader not in READERS:
        meant = suggestion(reader, READERS)
        raise IngestError(f"Unknown reader {shown(reader)}{meant}; known are {', '.join(READERS)}.")
    if path.suffix == ".res":
        raise IngestError(ACCESS)
    require_expandable(path, limits)
    with path.open("rb") as file:
        if file.read(4) == PARQUET_MAGIC:
            require_small(path, limits)
    import ionworksdata

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = ionworksdata.read.time_series(path, reader, options=OPTIONS.get(reader))
        except Exception as error:
            raise IngestError(f"The reader `{reader}` cannot read the file: {first_line(error)}") from None
    limits.require(frame.height, frame.width, "The cycler's file")
    _require_times(frame, reader)
    notes = [
        f"Read by ionworksdata {version('ionworksdata')} as `{reader}`: names and units by the convention, times from "
        "zero, rows of equal time 1e-6 s apart, positive current discharges; steps, cycles, capacities and energies "
        "were added."
    ]
    notes += [PATHS.sub("…", str(each.message))[:MAX_WARNING] for each in caught[:MAX_WARNINGS] if _is_about_data(each)]
    return frame, notes


def _require_times(frame: pl.DataFrame, reader: str) -> None:
    """Refuse a table whose times are all equal: readers place rows of equal time 1e-6 s apart, and some read times in
    another form than theirs as zero."""
    if "Time [s]" not in frame.columns or "Frequency [Hz]" in frame.columns or frame.height < LEAST_ROWS:
        return
    steps = frame["Time [s]"].cast(pl.Float64).diff().drop_nulls()
    if steps.len() and float(steps.median() or 0.0) <= EQUAL:
        raise IngestError(
            f"The reader `{reader}` finds the same time in most rows: the times of the file have another form than it "
            "expects. Export them in seconds as CSV."
        )


def _is_about_data(warning: warnings.WarningMessage) -> bool:
    return issubclass(warning.category, UserWarning)
