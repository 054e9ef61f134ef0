"""Stored tables, read in child processes only: selected columns, and the rows of a range and a window."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from app.execution.executor import IngestError

MISSING = "Reading a part of a measurement needs polars. Install the extra `data`: pip install 'voltgraph[data]'."


def read_part(path: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of a normalised Parquet file as arrays of float64, NaN for a missing value. Raises IngestError,
    and ImportError without polars.

    `part` has the fields of `app.measurements.parts.Part`. Both ends of a window are inclusive; a row without a value
    on the axis is out of it.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read at import; processes are the unit of parallel work
    try:
        import polars as pl
    except ModuleNotFoundError:
        raise ImportError(MISSING) from None
    lazy = pl.scan_parquet(path, glob=False).select(part["columns"])
    lazy = lazy.slice(part["first_row"], part["end_row"] - part["first_row"])
    axis = pl.col(part["axis"])
    if part["x_min"] is not None:
        lazy = lazy.filter(axis >= part["x_min"])
    if part["x_max"] is not None:
        lazy = lazy.filter(axis <= part["x_max"])
    try:
        frame = lazy.collect()
    except pl.exceptions.PolarsError as error:
        raise IngestError(f"The stored table cannot be read ({type(error).__name__}).") from None
    return {name: frame.drop_in_place(name).cast(pl.Float64).to_numpy() for name in part["columns"]}
