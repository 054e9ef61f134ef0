"""References to stored measurements (`db:ID`): their columns, read from normalised Parquet when an objective needs
them. It needs the extra `data`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.battery.checks.fields import shown
from app.battery.objectives.objective import Array
from app.execution.executor import DataFile, Job

PREFIX = "db:"
FORM = re.compile(r"db:[A-Za-z0-9_-]{1,64}")
MAX_DEPTH = 100
"""Maximum depth at which references are looked for: configurations nest less."""


class Reference(str):
    """Text `db:ID` with the file of the measurement."""

    file: DataFile

    def __new__(cls, text: str, file: DataFile) -> Reference:
        made = super().__new__(cls, text)
        made.file = file
        return made


class CannotRead(Exception):
    """A stored measurement cannot be read here."""


def bind_references(job: Job) -> dict[str, Any]:
    """Return the configuration of a job with a Reference for each `db:ID` that has a file."""
    if not job.measurements:
        return job.config
    bound: dict[str, Any] = _bound(job.config, job.measurements, 0)
    return bound


def _bound(value: Any, files: Mapping[str, DataFile], depth: int) -> Any:
    if isinstance(value, str):
        file = files.get(value.removeprefix(PREFIX)) if FORM.fullmatch(value) else None
        return value if file is None else Reference(value, file)
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, dict):
        return {name: _bound(each, files, depth + 1) for name, each in value.items()}
    if isinstance(value, list) and any(isinstance(each, str | dict | list) for each in value[:1]):
        return [_bound(each, files, depth + 1) for each in value]
    return value


def unresolved(text: str) -> str | None:
    """Return the problem of a text that looks like a reference but has no file; None for another text."""
    if not text.startswith(PREFIX):
        return None
    if not FORM.fullmatch(text):
        return f"{shown(text)} is no reference: write db: and the id of a measurement, such as db:0198f2c4-…."
    return f"{shown(text)} is not a measurement that this pipeline may read."


class StoredColumns(Mapping[str, Array]):
    """Columns of a stored measurement, each (n,) with NaN for missing values; read at their first use."""

    def __init__(self, reference: Reference) -> None:
        polars = _polars()
        self._path = Path(reference.file.path)
        try:
            self._frame = polars.scan_parquet(self._path, glob=False)
            self._names: list[str] = self._frame.collect_schema().names()
        except Exception as error:
            raise CannotRead(f"{reference} cannot be read: {type(error).__name__}.") from error
        self._read: dict[str, Array] = {}
        self.rows = reference.file.rows

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            polars = _polars()
            column = self._frame.select(polars.col(name).cast(polars.Float64)).collect()[name]
            self._read[name] = column.fill_null(float("nan")).to_numpy().astype(float, copy=True)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def steps(self) -> dict[str, list[Any]] | None:
        """Return the steps table of the measurement; None if it has no steps."""
        from app.battery.ingest.summaries import find_steps, listed

        _, steps, _ = find_steps(self._frame.collect())
        return listed(steps)


def value_at(column: Any, row: int) -> Any:
    """Return a value of a column for a message; None for a missing one of a stored measurement."""
    value = column[row]
    return (None if np.isnan(value) else float(value)) if isinstance(column, np.ndarray) else value


def _polars() -> Any:
    from app.battery.ingest.errors import missing_extra

    if message := missing_extra():
        raise CannotRead(message)
    import polars

    return polars
