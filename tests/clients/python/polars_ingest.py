"""Reader of Parquet uploads by the official client's own libraries, in place of the server's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.execution.executor import IngestError
from app.execution.fake import FakeExecutor

__all__ = ["FakeExecutor", "ingest"]


def ingest(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a Parquet file with the columns of the client's convention."""
    import ionworksdata
    import polars

    try:
        table = polars.read_parquet(path)
    except Exception as error:
        raise IngestError(f"The file is no Parquet: {error}") from None
    out = Path(options["out"])
    steps = ionworksdata.steps.summarize(table)
    table.write_parquet(out / "table.parquet")
    steps.write_parquet(out / "steps.parquet")
    cycles = steps.group_by("Cycle count", maintain_order=True).agg(polars.len().alias("steps"))
    return {
        "rows": len(table),
        "columns": [
            {"name": name, "unit": None, "min": None, "max": None, "missing": table[name].null_count()}
            for name in table.columns
        ],
        "changes": [],
        "steps": steps.fill_nan(None).to_dict(as_series=False),
        "cycles": cycles.to_dict(as_series=False),
        "preview": {name: [*map(float, table[name][:: max(1, len(table) // 2500)])] for name in table.columns},
        "parquet": str(out / "table.parquet"),
        "steps_parquet": str(out / "steps.parquet"),
    }
