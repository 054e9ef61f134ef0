"""Reader of CSV files of numbers without libraries, in place of the one on polars. The name of the file sets what goes
wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from app.execution.executor import IngestError
from app.execution.fake import FakeExecutor

__all__ = ["FakeExecutor", "ingest"]  # the executor of this module, so that jobs may read the module


def ingest(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a CSV file of numbers. Its table is stored as the text itself."""
    out, name = Path(options["out"]), options["filename"]
    if "die" in name:
        os.abort()
    if "slow" in name:
        time.sleep(30)
    if "briefly" in name:
        time.sleep(0.3)
    columns = _columns(Path(path).read_bytes())
    table, steps = out / "table.parquet", out / "steps.parquet"
    table.write_bytes(Path(path).read_bytes())
    steps.write_bytes(b"steps of " + name.encode())
    if "link" in name:
        table.unlink()
        table.symlink_to("/etc/hostname")
    if "pipe" in name:
        table.unlink()
        os.mkfifo(table)
    answer = _described(columns)
    answer |= {"parquet": str(table), "steps_parquet": str(steps)}
    if "elsewhere" in name:
        answer["parquet"] = "/etc/hostname"
    return answer


def _columns(content: bytes) -> dict[str, list[float]]:
    try:
        head, *lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise IngestError("The file is no text in UTF-8.") from None
    rows = []
    for number, line in enumerate(lines, start=2):
        try:
            rows.append([float(value) for value in line.split(",")])
        except ValueError:
            raise IngestError(f"Line {number} must have numbers; got {line!r:.80}.") from None
    return dict(zip(head.split(","), map(list, zip(*rows, strict=True)), strict=True))


def _described(columns: dict[str, list[float]]) -> dict[str, Any]:
    described = [
        {"name": name, "unit": "V", "min": min(values), "max": max(values), "missing": 0}
        for name, values in columns.items()
    ]
    return {
        "rows": len(next(iter(columns.values()))),
        "columns": described,
        "changes": ["The sign of the current was changed."],
        "steps": {"Step count": [0, 1]},
        "cycles": {"Cycle count": [0]},
        "preview": {name: values[:: max(1, len(values) // 2500)] for name, values in columns.items()},
    }
