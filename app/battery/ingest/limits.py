"""Limits of measurement files: rows, columns, decoded bytes, and the memory of the process that decodes them."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.battery.ingest.errors import IngestError

NUMBER = 8
"""Bytes of a number."""
COPIES = 6
"""Decoded sizes that a reader may hold at the same time: texts of numbers, columns before and after a conversion."""
BASE = 2 << 30
"""Bytes of address space for libraries and their threads, beside the data."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum size of a decoded table."""

    rows: int
    columns: int
    decoded_bytes: int

    def require(self, rows: int, columns: int, place: str) -> None:
        """Raise IngestError if a table of this size is too large."""
        if columns > self.columns:
            raise IngestError(f"{place} has {columns:,} columns; at most {self.columns:,} are allowed.")
        if rows > self.rows:
            raise IngestError(f"{place} has {rows:,} rows; at most {self.rows:,} are allowed. Thin the data out.")
        size = rows * columns * NUMBER
        if size > self.decoded_bytes:
            raise IngestError(
                f"{place} has {rows:,} rows of {columns:,} columns: {size:,} bytes decoded, at most "
                f"{self.decoded_bytes:,} are allowed. Leave columns out, or thin the data out."
            )


@contextmanager
def limited_memory(limits: Limits) -> Iterator[None]:
    """Limit the address space of this process while it decodes a file: an allocation beyond it fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _address_space() + BASE + COPIES * limits.decoded_bytes
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    except MemoryError:
        raise IngestError("The file needs more memory than it may use once it is decoded. Thin the data out.") from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    """Return the bytes of address space that this process has now; 0 where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()
