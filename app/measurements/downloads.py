"""Signed addresses of downloads: a file id and an end, authenticated by HMAC-SHA-256. The address is the right; whoever
makes it has checked that the caller may see the measurement."""

from __future__ import annotations

import base64
import hmac
import re
import time
from dataclasses import dataclass

from sqlmodel import col, select

from app.database.interface import Database
from app.models.measurements import Measurement, MeasurementFile, SigningKey

LIFETIME = 3600
"""Seconds for which an address is valid."""
FILE_ID = re.compile(r"[0-9a-f-]{36}")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Signer:
    """Signer of addresses. The key is in the database, so that every process accepts what another one signed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key: bytes | None = None

    async def path(self, file_id: str) -> str:
        """Return the address of a file, relative to the server's."""
        end = str(int(time.time()) + LIFETIME)
        return f"/downloads/{file_id}.{end}.{_encoded(await self._sign(file_id, end))}"

    async def verify(self, token: str) -> str | None:
        """Return the file id of an address; None if it is forged or has expired."""
        file_id, _, rest = token.partition(".")
        end, _, signature = rest.partition(".")
        if not FILE_ID.fullmatch(file_id) or not re.fullmatch(r"\d{1,12}", end, re.ASCII) or not signature.isascii():
            return None
        expected = _encoded(await self._sign(file_id, end))
        return file_id if hmac.compare_digest(signature, expected) and int(end) > time.time() else None

    async def _sign(self, file_id: str, end: str) -> bytes:
        if self._key is None:
            async with self._database.read() as session:
                self._key = (await session.exec(select(SigningKey.key))).one()
        return hmac.digest(self._key, f"download\n{file_id}\n{end}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Download:
    """A stored file with the name that its owner gave."""

    file: MeasurementFile
    name: str


async def find(database: Database, file_id: str) -> Download | None:
    """Load a complete file whose measurement exists."""
    query = (
        select(MeasurementFile, Measurement.name, Measurement.file_name)
        .join(Measurement, col(Measurement.id) == col(MeasurementFile.measurement_id))
        .where(col(MeasurementFile.id) == file_id, col(MeasurementFile.is_complete).is_(True))
    )
    async with database.read() as session:
        row = (await session.exec(query)).first()
    return None if row is None else Download(row[0], row[2] or row[1])


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte of a Range header and the one after its last; equal if no byte of the range exists. None
    selects the whole file: no header, or one that RFC 9110 allows to ignore, such as several ranges."""
    matched = RANGE.fullmatch(header.strip()) if header else None
    if matched is None or matched.group() == "bytes=-":
        return None
    first, last = matched.groups()
    if not first:  # the last bytes of the file
        return max(size - int(last), 0), size
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else (size, size)


def _encoded(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")
