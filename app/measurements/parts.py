"""Parts of stored tables: rows and columns of a file, as a child process is asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.models.measurements import MeasurementFile


@dataclass(frozen=True, slots=True)
class Part:
    """Selection of a table. Rows are those from `first_row` to before `end_row` where `axis` is between `x_min` and
    `x_max`, thinned to at most `max_points`."""

    columns: tuple[str, ...]
    """Names in the order of the file, the axis among them."""
    axis: str
    first_row: int
    end_row: int
    x_min: float | None
    x_max: float | None
    max_points: int


class PartReader(Protocol):
    """Reader of parts of stored files."""

    async def read(self, file: MeasurementFile, part: Part) -> bytes:
        """Return a part as JSON, `{column: [number or null, …]}`. Raises RequestError, and FileGone."""
        ...
