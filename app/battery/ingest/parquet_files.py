"""Parquet files: the footer is checked before any column is decoded."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from app.battery.checks.fields import shown
from app.battery.ingest.errors import IngestError, first_line
from app.battery.ingest.file_types import PARQUET_MAGIC
from app.battery.ingest.limits import Limits

FOOTER = 8
"""Bytes of the length of the footer and of the magic after it."""
FOOTER_SHARE = 16 << 20
"""Maximum bytes of a footer: it grows with columns and row groups only."""


def read_parquet(path: Path, limits: Limits) -> pl.DataFrame:
    """Return the columns of a Parquet file. Raises IngestError."""
    rows = require_small(path, limits)
    try:
        frame = pl.scan_parquet(path, glob=False).collect()
    except Exception as error:
        raise IngestError(f"The Parquet file is damaged behind its footer: {first_line(error)}") from None
    if frame.height != rows:
        raise IngestError(f"The footer states {rows:,} rows; the columns hold {frame.height:,}.")
    return frame


def require_small(path: Path, limits: Limits) -> int:
    """Return the number of rows by the footer, without decoding a column. Raises IngestError if they are too many."""
    _require_footer(path)
    try:
        lazy = pl.scan_parquet(path, glob=False)
        columns = len(lazy.collect_schema())
        rows = int(lazy.select(pl.len()).collect().item())
    except Exception as error:
        raise IngestError(f"The footer of the Parquet file cannot be read: {first_line(error)}") from None
    limits.require(rows, columns, "The Parquet file")
    return rows


def _require_footer(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - FOOTER))
        tail = file.read(FOOTER)
    if head != PARQUET_MAGIC:
        raise IngestError(f"The file is no Parquet: it begins with {shown(head)}, not {PARQUET_MAGIC!r}.")
    if size < len(PARQUET_MAGIC) + FOOTER or tail[4:] != PARQUET_MAGIC:
        raise IngestError(f"The Parquet file is truncated: it ends with {tail[4:]!r}, not {PARQUET_MAGIC!r}.")
    length = int.from_bytes(tail[:4], "little")
    if length > min(size - len(PARQUET_MAGIC) - FOOTER, FOOTER_SHARE):
        raise IngestError(f"The Parquet file states a footer of {length:,} bytes; the file has {size:,}.")
