"""Files for ingest, and their ingest with the limits of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from app.battery.ingest import ingest

LIMITS = {"max_rows": 10_000_000, "max_columns": 200, "max_decoded_bytes": 1 << 30}


def discharge(rows: int = 200) -> pl.DataFrame:
    """A rest, a discharge with an ohmic drop, and a rest, by the convention."""
    time: np.ndarray = np.arange(rows, dtype=float)
    current = np.where((time >= rows // 10) & (time < rows * 0.9), 2.5, 0.0)
    voltage = 4.1 - 0.03 * current - 0.5 * np.cumsum(current) / np.cumsum(current)[-1]
    return pl.DataFrame({"Time [s]": time, "Current [A]": current, "Voltage [V]": voltage})


def ingested(content: bytes, folder: Path, filename: str = "test.csv", **options: Any) -> dict[str, Any]:
    """Ingest a file of these bytes."""
    path = folder / "upload"
    path.write_bytes(content)
    given = {"format": None, "reader": None, "filename": filename, "out": str(folder), **LIMITS, **options}
    return ingest(str(path), given)


def parquet_bytes(frame: pl.DataFrame, folder: Path) -> bytes:
    path = folder / "made.parquet"
    frame.write_parquet(path)
    return path.read_bytes()


def normalised(answer: dict[str, Any]) -> pl.DataFrame:
    return pl.read_parquet(answer["parquet"])
