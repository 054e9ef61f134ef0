"""Uploads: a token carries the right to send one file, once, within an hour and a size.

A request with the token writes a new file, chunk by chunk. The token counts as used once the whole file is stored, so
that an upload which broke off can be repeated with the same address. The later one of two requests at once wins.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.changes import record_measurement
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.measurements import files
from app.measurements.files import FileGone, FileWriter, new_file
from app.models.columns import now
from app.models.enums import FileKind, MeasurementStatus
from app.models.measurements import Measurement, MeasurementFile, Upload
from app.pipelines.service import next_timestamp

LIFETIME = timedelta(hours=1)
"""Time from the creation of a token until it expires, and the longest time that an upload takes."""
TOKEN_BYTES = 32
UNKNOWN = "The address of this upload is unknown, was used, or has expired. Create the measurement's upload again."


@dataclass(frozen=True, slots=True)
class UploadRight:
    """Right to upload a file, as its owner sees it once."""

    token: str
    most_bytes: int
    expires_at: datetime

    @property
    def path(self) -> str:
        """Address, relative to the server's."""
        return f"/uploads/{self.token}"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Maximum bytes of a file, and of all files of an organization."""

    file: int
    organization: int


@dataclass(frozen=True, slots=True)
class _Begun:
    file_id: str
    most: int
    exact: int | None


def hash_token(token: str) -> str:
    """Return the hash under which a token is stored. A fast hash is enough: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def grant(session: AsyncSession, measurement: Measurement, limits: UploadLimits, size: int | None) -> UploadRight:
    """Add a token for the file of a measurement to the caller's transaction."""
    token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), now() + LIFETIME
    most = limits.file if size is None else size
    session.add(
        Upload(
            token_hash=hash_token(token),
            measurement_id=measurement.id,
            most_bytes=most,
            exact_bytes=size,
            expires_at=expires_at,
        )
    )
    return UploadRight(token, most, expires_at)


async def receive(
    database: Database, token: str, announced: int | None, parts: AsyncIterator[bytes], limits: UploadLimits
) -> None:
    """Store the body of an upload. `announced` is its Content-Length. Raises RequestError: NOT_FOUND for a token that
    is unknown, used or expired; PAYLOAD_TOO_LARGE; BAD_REQUEST for another size than announced. Nothing is left of an
    upload that fails."""
    begun = await _begin(database, token, announced, limits)
    writer = FileWriter(database, begun.file_id)
    try:
        async for part in parts:
            if writer.size + len(part) > begun.most:
                raise _too_large(begun.most)
            await writer.write(part)
        _check_size(writer.size, begun.exact if begun.exact is not None else announced)
        await _finish(database, token, begun.file_id, writer.size, await writer.finish())
    except BaseException as error:
        await files.discard(database, begun.file_id)
        if isinstance(error, FileGone):
            raise _unknown() from None
        raise


async def _begin(database: Database, token: str, announced: int | None, limits: UploadLimits) -> _Begun:
    """Make this request the one that writes the file."""

    async def work(session: AsyncSession) -> _Begun:
        upload, measurement = await _lock(session, token)
        if announced is not None and announced > upload.most_bytes:
            raise _too_large(upload.most_bytes)
        if announced is not None and upload.exact_bytes is not None:
            _check_size(announced, upload.exact_bytes)
        reserved = upload.most_bytes if announced is None else announced
        await require_room(session, measurement.organization_id, reserved, limits)
        file = new_file(measurement.id, measurement.organization_id, FileKind.UPLOAD, reserved)
        session.add(file)
        upload.file_id = file.id
        return _Begun(file.id, upload.most_bytes, upload.exact_bytes)

    return await database.write(work)


async def _finish(database: Database, token: str, file_id: str, size: int, sha256: str) -> None:
    """Complete the file and use up the token. Raises FileGone if a later request with the token has begun."""

    async def work(session: AsyncSession) -> None:
        upload, measurement = await _lock(session, token)
        await files.require_incomplete(session, file_id)
        if upload.file_id != file_id:
            raise FileGone(file_id)
        await files.complete(session, file_id, size, sha256)
        upload.used_at = now()
        measurement.byte_count, measurement.sha256 = size, sha256
        measurement.updated_at = next_timestamp(measurement.updated_at)
        await record_measurement(session, measurement)

    await database.write(work)


async def _lock(session: AsyncSession, token: str) -> tuple[Upload, Measurement]:
    """Lock the upload of a token and its measurement. Raises RequestError with NOT_FOUND."""
    query = select(Upload, Measurement).join(Measurement, col(Measurement.id) == col(Upload.measurement_id))
    row = (await session.exec(query.where(col(Upload.token_hash) == hash_token(token)).with_for_update())).first()
    if row is None:
        raise _unknown()
    upload, measurement = row
    if upload.used_at is not None or upload.expires_at <= now():
        raise _unknown()
    if measurement.status is not MeasurementStatus.UPLOADING:
        raise _unknown()
    return upload, measurement


async def require_room(session: AsyncSession, organization_id: str, more: int, limits: UploadLimits) -> None:
    """Raise PAYLOAD_TOO_LARGE if the files of an organization would exceed its limit."""
    held = await files.bytes_of(session, organization_id)
    if held + more > limits.organization:
        raise RequestError(
            RequestErrorCode.PAYLOAD_TOO_LARGE,
            f"The organization stores {held:,} of {limits.organization:,} bytes; {more:,} more do not fit. "
            "Delete measurements.",
        )


async def clean_up(database: Database) -> None:
    """Delete measurements whose upload never came, and files that broke off or whose measurement was deleted."""
    old = now() - 2 * LIFETIME
    await _forget_uploads(database, old)
    gone = ~select(Measurement.id).where(col(Measurement.id) == col(MeasurementFile.measurement_id)).exists()
    stale = col(MeasurementFile.is_complete).is_(False) & (gone | (col(MeasurementFile.created_at) < old))
    async with database.read() as session:
        ids = list(await session.exec(select(MeasurementFile.id).where(stale).limit(1000)))
    for id in ids:
        await files.discard(database, id)


async def _forget_uploads(database: Database, old: datetime) -> None:
    async def work(session: AsyncSession) -> None:
        status = col(Measurement.status) == MeasurementStatus.UPLOADING
        query = select(Measurement).where(status, col(Measurement.created_at) < old).limit(100)
        for measurement in await session.exec(query.with_for_update(skip_locked=True)):
            if not await _has_valid_token(session, measurement.id):
                await remove(session, measurement)

    await database.write(work)


async def _has_valid_token(session: AsyncSession, measurement_id: str) -> bool:
    valid = col(Upload.expires_at) > now() - LIFETIME
    query = select(Upload.token_hash).where(col(Upload.measurement_id) == measurement_id, valid)
    return (await session.exec(query.limit(1))).first() is not None


async def remove(session: AsyncSession, measurement: Measurement) -> None:
    """Delete a measurement in the caller's transaction. Its files become incomplete, which `clean_up` deletes chunk by
    chunk."""
    its = select(MeasurementFile).where(col(MeasurementFile.measurement_id) == measurement.id)
    for file in await session.exec(its):
        file.is_complete = False
    await record_measurement(session, measurement)
    await session.delete(measurement)
    await session.flush()


def _check_size(size: int, wanted: int | None) -> None:
    if wanted is not None and size != wanted:
        message = f"The file must have {wanted:,} bytes, as announced; got {size:,}."
        raise RequestError(RequestErrorCode.BAD_REQUEST, message)


def _unknown() -> RequestError:
    return RequestError(RequestErrorCode.NOT_FOUND, UNKNOWN)


def _too_large(most: int) -> RequestError:
    return RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The file is longer than {most:,} bytes.")
