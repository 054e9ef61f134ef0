"""Readings of uploaded files: a lease on a PROCESSING measurement, and the result in one transaction.

The attempt number of the lease is the fencing token: a worker whose lease was taken over stores nothing.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import ColumnElement, delete, exists, insert, or_
from sqlalchemy.engine import Dialect
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.changes import record_measurement
from app.database.interface import Database, ReadBudget, Steps
from app.errors import VoltgraphError
from app.measurements import files
from app.measurements.files import new_file
from app.models.columns import now
from app.models.enums import FileKind, MeasurementFormat, MeasurementStatus
from app.models.measurements import IS_PROCESSING, Measurement, MeasurementChannel, MeasurementFile
from app.pipelines.service import next_timestamp

LEASE = timedelta(seconds=30)
"""Time without renewal after which another worker takes a reading over."""
MOST_ATTEMPTS = 5
"""Attempts of a reading whose process or worker died."""
MOST_PREVIEW = 5_000
"""Maximum rows of a preview."""
MOST_ERROR = 2_000
"""Maximum characters of an error message."""
DIED = "The process that read the file died. It may need too much memory."


class ReadingLost(VoltgraphError):
    """The measurement was deleted, or another worker reads its file."""


class WrongAnswer(VoltgraphError):
    """The process that read a file described something that cannot be stored."""

    def __init__(self, found: str) -> None:
        super().__init__(f"The process that read the file answered with {found}.")


@dataclass(frozen=True, slots=True)
class Reading:
    """Lease on the reading of one file."""

    measurement_id: str
    organization_id: str
    attempt: int
    format: MeasurementFormat | None
    file_name: str
    reader: str | None
    upload: MeasurementFile


async def take(database: Database) -> Reading | None:
    """Take the lease on the oldest file that nobody reads. A file that was tried MOST_ATTEMPTS times is FAILED."""
    if not await database.run(partial(_is_any_processing, database), ReadBudget(is_single=True)):
        return None  # the usual case: idle readers ask four times a second, and a session takes many times as long
    free = or_(col(Measurement.leased_until).is_(None), col(Measurement.leased_until) < now())
    query = select(Measurement).where(_processing(), free).order_by(col(Measurement.created_at)).limit(1)
    async with database.read() as session:
        if (await session.exec(query)).first() is None:
            return None

    async def work(session: AsyncSession) -> Reading | None:
        measurement = (await session.exec(query.with_for_update(skip_locked=True))).first()
        if measurement is None:
            return None
        upload = await files.find(session, measurement.id, FileKind.UPLOAD)
        if upload is None or measurement.attempt >= MOST_ATTEMPTS:
            await _end(session, measurement, MeasurementStatus.FAILED, DIED)
            return None
        measurement.attempt += 1
        measurement.leased_until = now() + LEASE
        return Reading(
            measurement.id,
            measurement.organization_id,
            measurement.attempt,
            measurement.format,
            measurement.file_name or measurement.name,
            measurement.reader,
            upload,
        )

    return await database.write(work)


async def release_all(database: Database) -> None:
    """End all leases: the only worker of a SQLite file has started, so the one that held them is gone."""

    async def work(session: AsyncSession) -> None:
        for measurement in await session.exec(select(Measurement).where(_processing())):
            measurement.leased_until = None

    await database.write(work)


async def renew(database: Database, reading: Reading) -> None:
    """Renew a lease. Raises ReadingLost."""

    async def work(session: AsyncSession) -> None:
        (await _lock(session, reading)).leased_until = now() + LEASE

    await database.write(work)


async def give_back(database: Database, reading: Reading) -> None:
    """End a lease without a result: another attempt may begin at once. Raises ReadingLost."""

    async def work(session: AsyncSession) -> None:
        (await _lock(session, reading)).leased_until = None

    await database.write(work)


async def fail(database: Database, reading: Reading, message: str) -> None:
    """Mark a measurement FAILED. Raises ReadingLost."""

    async def work(session: AsyncSession) -> None:
        await _end(session, await _lock(session, reading), MeasurementStatus.FAILED, message[:MOST_ERROR])

    await database.write(work)


async def keep(database: Database, reading: Reading, answer: Mapping[str, Any], folder: Path, most_bytes: int) -> None:
    """Store what a process read: its files first, each chunk by chunk, then all else in one transaction. Raises
    ReadingLost, and WrongAnswer."""
    check(answer)
    stored = {}
    for kind, name in ((FileKind.TABLE, "parquet"), (FileKind.STEPS, "steps_parquet")):
        if answer[name] is not None:
            stored[kind] = await _copy_in(database, reading, kind, folder / Path(answer[name]).name, most_bytes)

    async def work(session: AsyncSession) -> None:
        measurement = await _lock(session, reading)
        for id, size, sha256 in stored.values():
            await files.require_incomplete(session, id)
            await files.complete(session, id, size, sha256)
        mine = col(MeasurementChannel.measurement_id) == reading.measurement_id
        await session.exec(delete(MeasurementChannel).where(mine))
        if rows := _channels(reading.measurement_id, answer["preview"]):
            await session.exec(insert(MeasurementChannel), params=rows)
        measurement.row_count = answer["rows"]
        for column in ("columns", "changes", "steps", "cycles"):
            value = answer[column]
            setattr(measurement, column, None if value is None else orjson.dumps(value).decode())
        await _end(session, measurement, MeasurementStatus.READY, None)

    await database.write(work)


def check(answer: Mapping[str, Any]) -> None:
    """Check what the types of the message do not say. Raises WrongAnswer."""
    preview, names = answer["preview"], [column["name"] for column in answer["columns"]]
    lengths = {len(values) for values in preview.values()}
    if answer["rows"] < 1 or len(set(names)) != len(names) or not names:
        raise WrongAnswer("no rows, or columns without distinct names")
    if len(lengths) > 1 or max(lengths, default=0) > MOST_PREVIEW or not preview.keys() <= set(names):
        raise WrongAnswer("a preview of other columns or lengths")
    if any(b"\\u0000" in orjson.dumps(answer[part]) for part in ("columns", "changes", "steps", "cycles")):
        raise WrongAnswer("a NUL character")


async def _copy_in(
    database: Database, reading: Reading, kind: FileKind, path: Path, most_bytes: int
) -> tuple[str, int, str]:
    """Store a file of the process; return its id, bytes and SHA-256. The path is inside the folder of the process,
    which may have put anything there. Raises WrongAnswer."""
    with _open_plain(path) as source:
        size = os.fstat(source.fileno()).st_size
        if size > most_bytes:
            raise WrongAnswer(f"a file of {size:,} bytes")
        file = new_file(reading.measurement_id, reading.organization_id, kind, size)

        async def begin(session: AsyncSession) -> None:
            await _lock(session, reading)
            session.add(file)

        await database.write(begin)
        writer = await files.copy_in(database, source, file.id)
    return file.id, writer.size, await writer.finish()


def _open_plain(path: Path) -> BinaryIO:
    """Open a regular file, following no link and waiting for no pipe. Raises WrongAnswer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise WrongAnswer(f"a file that cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise WrongAnswer("a file that is no regular file")
    return os.fdopen(descriptor, "rb")


def _channels(measurement_id: str, preview: Mapping[str, list[float | None]]) -> list[dict[str, Any]]:
    return [
        {"measurement_id": measurement_id, "position": position, "name": name, "samples": _packed(values)}
        for position, (name, values) in enumerate(preview.items())
    ]


def _packed(values: list[float | None]) -> bytes:
    """Encode samples as float64, little-endian; NaN marks a missing value."""
    return struct.pack(f"<{len(values)}d", *(math.nan if value is None else value for value in values))


async def _end(session: AsyncSession, measurement: Measurement, status: MeasurementStatus, error: str | None) -> None:
    measurement.status, measurement.error, measurement.leased_until = status, error, None
    measurement.updated_at = next_timestamp(measurement.updated_at)
    await session.flush()
    await record_measurement(session, measurement)


async def _lock(session: AsyncSession, reading: Reading) -> Measurement:
    query = select(Measurement).where(
        col(Measurement.id) == reading.measurement_id,
        _processing(),
        col(Measurement.attempt) == reading.attempt,
    )
    measurement = (await session.exec(query.with_for_update())).first()
    if measurement is None:
        raise ReadingLost(reading.measurement_id)
    return measurement


def _is_any_processing(database: Database) -> Steps[bool]:
    rows = yield _any_processing(database.dialect), ()
    return bool(rows[0][0])


@lru_cache
def _any_processing(dialect: Dialect) -> str:
    return str(select(exists().where(IS_PROCESSING).select_from(Measurement)).compile(dialect=dialect))


def _processing() -> ColumnElement[bool]:
    return col(Measurement.status) == MeasurementStatus.PROCESSING
