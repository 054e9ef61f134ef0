"""Data of a run: references are resolved at its start, and the measurements written to files for its processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as File
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import Path
from app.measurements import files
from app.models.enums import FileKind, MeasurementStatus
from app.models.measurements import Measurement, MeasurementFile, PipelineMeasurement
from app.pipelines import access
from app.pipelines.elements import find_references

Condition = sa.ColumnElement[bool]
MOST_REFERENCES = 1_000
"""Maximum number of measurements of one pipeline."""


@dataclass(frozen=True, slots=True)
class WrongReference:
    """A reference that cannot be resolved: its place and the reason."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """Measurement of a run, with the file of its columns."""

    id: str
    sha256: str
    rows: int
    file: MeasurementFile

    @property
    def pin(self) -> dict[str, Any]:
        """Return what identifies the data in a result."""
        return {"id": self.id, "sha256": self.sha256, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class RunData:
    """References of a run by element: the measurements, and the references that cannot be resolved."""

    measurements: dict[str, Pinned] = field(default_factory=dict)
    used: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the measurements of each element, by the element's id."""
    wrong: dict[str, list[WrongReference]] = field(default_factory=dict)

    def pins(self, element_id: str) -> dict[str, dict[str, Any]]:
        """Return the pins of the measurements of one element, by id."""
        return {id: self.measurements[id].pin for id in self.used.get(element_id, ())}


async def resolve(database: Database, pipeline_id: str, configs: Iterable[tuple[str, str]]) -> RunData:
    """Resolve the references of a pipeline. `configs` are the ids of its elements with their configurations. Only
    measurements that are linked to the pipeline exist for it."""
    return await _resolve(database, partial(_is_linked, pipeline_id), configs)


async def resolve_visible(database: Database, caller: Caller, configs: Iterable[tuple[str, str]]) -> RunData:
    """Resolve the references of a pipeline that is not stored, as `resolve` does once its author has created it."""
    return await _resolve(database, partial(access.visible, caller, Measurement), configs)


def _is_linked(pipeline_id: str) -> Condition:
    return sa.exists().where(
        col(PipelineMeasurement.pipeline_id) == pipeline_id,
        col(PipelineMeasurement.measurement_id) == col(Measurement.id),
    )


async def _resolve(
    database: Database, is_readable: Callable[[], Condition], configs: Iterable[tuple[str, str]]
) -> RunData:
    found = {element_id: list(find_references(config)) for element_id, config in configs}
    ids = list(dict.fromkeys(id for references in found.values() for id, _ in references))
    if not ids:
        return RunData()
    known = await _readable(database, is_readable(), ids[:MOST_REFERENCES])
    data = RunData()
    for element_id, references in found.items():
        for id, path in references:
            pinned = known.get(id)
            if isinstance(pinned, Pinned):
                data.measurements[id] = pinned
                data.used.setdefault(element_id, []).append(id)
            else:
                message = pinned or _missing(id, len(ids))
                data.wrong.setdefault(element_id, []).append(WrongReference(path, message))
    return data


def _missing(id: str, count: int) -> str:
    if count > MOST_REFERENCES:
        return f"A pipeline references at most {MOST_REFERENCES:,} measurements, not {count:,}."
    return f"The measurement {id} does not exist."


async def _readable(database: Database, is_readable: Condition, ids: list[str]) -> dict[str, Pinned | str]:
    """Return the measurements that a pipeline may read, by id; for one that cannot be read, the reason."""
    columns = (col(getattr(Measurement, name)) for name in ("id", "status", "sha256", "row_count"))
    query: Any = sa.select(*columns).where(is_readable, col(Measurement.id).in_(ids))
    known: dict[str, Pinned | str] = {}
    async with database.read() as session:
        for id, status, sha256, rows in (await session.exec(query)).all():
            table = await files.find(session, id, FileKind.TABLE)
            if status is MeasurementStatus.READY and table is not None:
                known[id] = Pinned(id, sha256 or "", rows or 0, table)
            else:
                known[id] = _unready(id, status)
    return known


def _unready(id: str, status: MeasurementStatus) -> str:
    if status is MeasurementStatus.READY:
        return f"The measurement {id} has no columns: its type is not TIME_SERIES."
    remedy = "upload its file again" if status is MeasurementStatus.FAILED else "start the pipeline once it is READY"
    return f"The measurement {id} is {status.name}: {remedy}."


async def write_files(database: Database, data: RunData, folder: File) -> dict[str, dict[str, Any]]:
    """Write the columns of all measurements of a run to Parquet files; return what its processes are told, by id.
    Raises FileGone if one was deleted meanwhile."""
    told = {}
    for number, (id, pinned) in enumerate(data.measurements.items()):
        path = folder / f"{number}.parquet"
        await files.copy_out(database, pinned.file, path)
        path.chmod(0o400)
        told[id] = {"path": str(path), "sha256": pinned.sha256, "rows": pinned.rows}
    return told
