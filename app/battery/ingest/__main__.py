"""Program `python -m app.battery.ingest FILE OUT`: ingest a file of this machine, and print its columns as JSON.

It prints `{"columns": {name: numbers}, "changes": [...]}`, or `{"error": message}`. Other programs read a file by it
without decoding it in their own process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.battery.ingest import ingest
from app.battery.ingest.errors import IngestError

LIMITS = {"max_rows": 10_000_000, "max_columns": 200, "max_decoded_bytes": 1 << 30}


def read(file: Path, out: Path, reader: str | None) -> dict[str, Any]:
    """Return the columns of a file and what was changed in them. Missing values are null."""
    options = {"format": None, "filename": file.name, "reader": reader, "out": str(out), **LIMITS}
    try:
        answer = ingest(str(file), options)
    except IngestError as error:
        return {"error": str(error)}
    import polars

    frame = polars.read_parquet(answer["parquet"])
    return {"columns": {name: frame[name].to_list() for name in frame.columns}, "changes": answer["changes"]}


if __name__ == "__main__":
    json.dump(read(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None), sys.stdout)
