"""Ingest of one file: check, decode, normalise, summarise, and write as Parquet."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.battery.ingest.errors import IngestError, missing_extra
from app.battery.ingest.file_types import CHUNK, CSV, CYCLER, PARQUET, format_of, safe_suffix
from app.battery.ingest.limits import Limits, limited_memory

log = logging.getLogger("voltgraph.ingest")
NORMALISED, STEPS = "normalised.parquet", "steps.parquet"


def ingest(path: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read an uploaded file and write its normalised form into the folder `out`. Raises IngestError.

    `options` holds `format` (PARQUET, CSV, CYCLER or None), `filename`, `reader`, `out`, and the limits `max_rows`,
    `max_columns` and `max_decoded_bytes`. The answer describes the measurement.
    """
    if message := missing_extra():
        raise IngestError(message)
    limits = Limits(options["max_rows"], options["max_columns"], options["max_decoded_bytes"])
    suffix = safe_suffix(options["filename"])
    kind = format_of(Path(path), options["format"], suffix)
    import ionworksdata  # noqa: F401  before the limit: the libraries count towards it
    import polars as pl

    with limited_memory(limits):
        try:
            return _ingested(Path(path), kind, suffix, options, limits)
        except pl.exceptions.PanicException as error:  # no subclass of Exception
            log.warning("a reader panicked: %s", error)
            raise IngestError("The file is damaged: its reader could not go on.") from None


def _ingested(path: Path, kind: str, suffix: str, options: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    from app.battery.ingest import columns, summaries

    out = Path(options["out"])
    frame, changes = _read(path, kind, suffix, options, limits)
    frame, renamed = columns.name_columns(frame)
    frame, left_out = columns.require_numbers(frame)
    columns.require_table(frame, [*changes, *left_out])
    falling = columns.find_falling_time(frame)
    frame, reversed_ = columns.orient_current(frame)
    frame, steps, added = summaries.find_steps(frame)
    limits.require(frame.height, frame.width, "The measurement")
    frame.write_parquet(out / NORMALISED, compression="zstd")
    if steps is not None:
        steps.write_parquet(out / STEPS, compression="zstd")
    return {
        "rows": frame.height,
        "columns": summaries.describe_columns(frame),
        "changes": [*changes, *renamed, *left_out, *falling, *reversed_, *added],
        "steps": summaries.listed(steps),
        "cycles": summaries.listed(summaries.find_cycles(steps)),
        "preview": summaries.preview(frame),
        "parquet": str(out / NORMALISED),
        "steps_parquet": None if steps is None else str(out / STEPS),
    }


def _read(path: Path, kind: str, suffix: str, options: Mapping[str, Any], limits: Limits) -> tuple[Any, list[str]]:
    """Return the table of a file, and the changes of its reader."""
    from app.battery.ingest.cycler_files import detect, read_cycler
    from app.battery.ingest.parquet_files import read_parquet
    from app.battery.ingest.text_files import read_text

    if kind == PARQUET:
        return read_parquet(path, limits), []
    if kind == CSV:
        return read_text(path, limits)
    named = Path(options["out"]) / f"input{suffix}"  # readers look at the suffix; an upload's name is never a path
    with path.open("rb") as source, named.open("wb") as target:  # the sandbox of jobs allows no links
        shutil.copyfileobj(source, target, CHUNK)
    reader = options["reader"] or detect(named)
    if reader is not None:
        return read_cycler(named, str(reader).lower(), limits)
    if options["format"] == CYCLER:
        raise IngestError("No reader recognises the file. Name one as `reader`, or upload it as CSV.")
    return read_text(path, limits)
