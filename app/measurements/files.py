"""Stored files: chunks in the database, written and read one at a time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import BinaryIO

import uuid_utils
from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.interface import Database
from app.database.writes.mutations import LONG, SHORT, Steps
from app.errors import VoltgraphError
from app.models.columns import now
from app.models.enums import FileKind
from app.models.measurements import MeasurementChunk, MeasurementFile

CHUNK = 2**18
"""Bytes of a chunk."""
PAUSE, SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 0.01, 0.25
"""Pause after a chunk, as a multiple of the time that storing it took, and its minimum and maximum in seconds. The
minimum is 25 MB/s, which leaves the disk to others."""

INCOMPLETE = select(MeasurementFile.id).where(
    col(MeasurementFile.id) == bindparam("file"), col(MeasurementFile.is_complete).is_(False)
)
APPEND = insert(MeasurementChunk)
DROP = delete(MeasurementChunk).where(
    col(MeasurementChunk.file_id) == bindparam("file"), col(MeasurementChunk.number) == bindparam("place")
)


class FileGone(VoltgraphError):
    """A stored file was deleted while it was written or read."""


class FileWriter:
    """Writer of one file. Each chunk is a mutation of its own, so that no other write waits for the whole file."""

    def __init__(self, database: Database, file_id: str) -> None:
        self._database, self.file_id = database, file_id
        self._pending, self._number, self.size = bytearray(), 0, 0
        self._hash = hashlib.sha256()

    async def write(self, content: bytes) -> None:
        """Append bytes. Raises FileGone if the file was deleted."""
        self.size += len(content)
        self._pending += content
        while len(self._pending) >= CHUNK:
            chunk = bytes(memoryview(self._pending)[:CHUNK])
            del self._pending[:CHUNK]
            await self._store(chunk)

    async def finish(self) -> str:
        """Store the last chunk; return the SHA-256 of the file in hex. The file is complete once `complete` ran."""
        if self._pending:
            await self._store(bytes(self._pending))
            self._pending.clear()
        return self._hash.hexdigest()

    async def _store(self, chunk: bytes) -> None:
        """Store a chunk, then pause for a multiple of the time that it took, so that other writes find the database
        free for most of an upload."""
        began = monotonic()
        await asyncio.to_thread(self._hash.update, chunk)
        await self._database.mutate(partial(self._append, chunk), SHORT + len(chunk), is_durable=False)
        self._number += 1
        await asyncio.sleep(min(max(PAUSE * (monotonic() - began), SHORTEST_PAUSE), LONGEST_PAUSE))

    def _append(self, chunk: bytes) -> Steps[None]:
        """Append a chunk. Raises FileGone. It need not be durable: the commit that completes the file waits for
        everything before it, and a file that a crash cut short stays incomplete."""
        if not (yield INCOMPLETE, {"file": self.file_id}):
            raise FileGone(self.file_id)
        yield APPEND, {"file_id": self.file_id, "number": self._number, "content": chunk}


async def require_incomplete(session: AsyncSession, file_id: str) -> None:
    """Raise FileGone unless a file exists and is still written."""
    if (await session.exec(INCOMPLETE, params={"file": file_id})).first() is None:
        raise FileGone(file_id)


def new_file(measurement_id: str, organization_id: str, kind: FileKind, reserved: int) -> MeasurementFile:
    """Build an incomplete file. `reserved` counts as its bytes until it is complete."""
    return MeasurementFile(
        id=str(uuid_utils.uuid7()),
        measurement_id=measurement_id,
        organization_id=organization_id,
        kind=kind,
        byte_count=reserved,
        is_complete=False,
        created_at=now(),
    )


async def complete(session: AsyncSession, file_id: str, size: int, sha256: str) -> None:
    """Mark a file complete in the caller's transaction."""
    await session.exec(
        update(MeasurementFile)
        .where(col(MeasurementFile.id) == file_id)
        .values(is_complete=True, byte_count=size, sha256=sha256)
    )


async def find(session: AsyncSession, measurement_id: str, kind: FileKind) -> MeasurementFile | None:
    """Return the complete file of a measurement; the newest, if a reading was repeated."""
    query = select(MeasurementFile).where(
        col(MeasurementFile.measurement_id) == measurement_id,
        col(MeasurementFile.kind) == kind,
        col(MeasurementFile.is_complete).is_(True),
    )
    return (await session.exec(query.order_by(col(MeasurementFile.id).desc()).limit(1))).first()


async def bytes_of(session: AsyncSession, organization_id: str) -> int:
    """Return the bytes that an organization stores, reserved ones included."""
    query = select(func.coalesce(func.sum(col(MeasurementFile.byte_count)), 0))
    return int((await session.exec(query.where(col(MeasurementFile.organization_id) == organization_id))).one())


async def read(database: Database, file_id: str, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield the bytes from `start` to before `end`, a chunk at a time. Raises FileGone if the file was deleted."""
    for number in range(start // CHUNK, -(-end // CHUNK)):
        query = select(MeasurementChunk.content).where(
            col(MeasurementChunk.file_id) == file_id, col(MeasurementChunk.number) == number
        )
        async with database.read() as session:
            content = (await session.exec(query)).first()
        if content is None:
            raise FileGone(file_id)
        first = number * CHUNK
        yield content[max(start - first, 0) : end - first]


async def copy_out(database: Database, file: MeasurementFile, path: Path) -> None:
    """Write a stored file to a path."""
    with path.open("xb") as out:
        async for content in read(database, file.id, 0, file.byte_count):
            await asyncio.to_thread(out.write, content)


async def copy_in(database: Database, source: BinaryIO, file_id: str) -> FileWriter:
    """Store the bytes of an open file; return its writer, to finish."""
    writer = FileWriter(database, file_id)
    while content := await asyncio.to_thread(source.read, CHUNK):
        await writer.write(content)
    return writer


async def discard(database: Database, file_id: str) -> None:
    """Delete a file chunk by chunk: deleting all at once would make other writes wait."""
    mine = col(MeasurementChunk.file_id) == file_id
    async with database.read() as session:
        numbers = list(await session.exec(select(MeasurementChunk.number).where(mine)))

    for number in sorted(numbers, reverse=True):

        def drop(number: int = number) -> Steps[None]:
            yield DROP, {"file": file_id, "place": number}

        await database.mutate(drop, LONG, is_durable=False)

    async def finish(session: AsyncSession) -> None:
        await session.exec(delete(MeasurementFile).where(col(MeasurementFile.id) == file_id))

    await database.write(finish)
