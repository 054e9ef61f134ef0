"""Reading of uploaded files: each in a child process with limits, from a loop of the worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from app.database.availability import is_unavailable, retry_until_available
from app.database.interface import Database
from app.errors import VoltgraphError
from app.execution.executor import JobFailed
from app.execution.processes import ChildDied, ChildProcess, ChildProcesses
from app.measurements import files, ingestion, uploads
from app.measurements.files import FileGone
from app.measurements.ingestion import LEASE, Reading, ReadingLost, WrongAnswer
from app.models.enums import JobErrorCode
from app.settings import Settings

log = logging.getLogger("voltgraph")

POLLING = 0.25
"""Polling interval in seconds: the longest wait of a file for a free reader."""
READERS = 2
"""Files that one process reads at a time."""
CLEANING = 60.0
"""Seconds between two deletions of what broken uploads left."""
UPLOAD = "upload"
"""Name of the file in the folder of its process."""


class ReadingFailed(VoltgraphError):
    """A file cannot be read, whatever the number of attempts."""


@asynccontextmanager
async def ingesting(
    settings: Settings, database: Database, children: ChildProcesses, *, alone: bool
) -> AsyncIterator[None]:
    """Read uploaded files until exit. `alone`: no other process reads files of this database."""
    if alone:
        await ingestion.release_all(database)
    ingester = Ingester(settings, database, children)
    loops = [asyncio.create_task(ingester.read_forever()) for _ in range(READERS)]
    loops.append(asyncio.create_task(_clean_forever(database)))
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


class Ingester:
    """Reader of uploaded files in one worker."""

    def __init__(self, settings: Settings, database: Database, children: ChildProcesses) -> None:
        self._settings, self._database, self._children = settings, database, children

    async def read_forever(self) -> None:
        """Read one file after the other."""
        while True:
            try:
                reading = await ingestion.take(self._database)
                if reading is not None:
                    await self.read(reading)
                    continue
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("reading an uploaded file failed; it is tried again")
                await asyncio.sleep(1.0)
            await asyncio.sleep(POLLING)

    async def read(self, reading: Reading) -> None:
        """Read one file. Returns early if the measurement is deleted or another worker reads it."""
        renewing = asyncio.create_task(self._renew(reading))
        working = asyncio.create_task(self._read(reading))
        try:
            await asyncio.wait([renewing, working], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                log.info("the reading of %s was taken over, or its measurement deleted", reading.measurement_id)
                return
            with suppress(ReadingLost, FileGone):
                working.result()
        finally:
            for task in (renewing, working):
                task.cancel()
            await asyncio.gather(renewing, working, return_exceptions=True)

    async def _read(self, reading: Reading) -> None:
        try:
            with self._children.folder("read-") as folder:
                await files.copy_out(self._database, reading.upload, folder / UPLOAD)
                await self._describe(reading, folder)
        except (ReadingFailed, WrongAnswer) as failure:
            message = str(failure)
            await retry_until_available(lambda: ingestion.fail(self._database, reading, message))
        except ChildDied as death:
            log.warning("reading %s: %s", reading.measurement_id, death)
            await retry_until_available(lambda: ingestion.give_back(self._database, reading))

    async def _describe(self, reading: Reading, folder: Path) -> None:
        """Have a child process describe a file, and store that. Raises ReadingFailed, WrongAnswer, or ChildDied."""
        request = {
            "kind": "ingest",
            "ingest": self._settings.ingest,
            "path": str(folder / UPLOAD),
            "readable": [str(folder)],
            "options": self._options(reading),
        }
        seconds = self._settings.ingest_timeout
        try:
            async with self._children.child(request) as child:
                try:
                    async with asyncio.timeout(seconds):
                        answer = await _described(child)
                except TimeoutError:
                    raise ReadingFailed(f"Reading the file took longer than {seconds:g} s.") from None
                most = self._settings.max_decoded_bytes
                await ingestion.keep(self._database, reading, answer, child.folder, most)
        except JobFailed as failure:
            raise ReadingFailed(failure.message) from None

    def _options(self, reading: Reading) -> dict[str, Any]:
        settings = self._settings
        return {
            "format": None if reading.format is None else reading.format.name,
            "filename": reading.file_name,
            "reader": reading.reader,
            "max_rows": settings.max_measurement_rows,
            "max_decoded_bytes": settings.max_decoded_bytes,
            "max_columns": settings.max_measurement_columns,
        }

    async def _renew(self, reading: Reading) -> None:
        """Renew the lease until it is lost."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                await ingestion.renew(self._database, reading)
            except ReadingLost:
                return
            except Exception as error:
                if not is_unavailable(error):
                    raise


async def _described(child: ChildProcess) -> dict[str, Any]:
    message = await child.message()
    if message["kind"] == "failed":
        raise JobFailed(JobErrorCode[message["code"]], message["message"], message["detail"])
    if message["kind"] != "ingested":
        raise ChildDied(f"the process {child.pid} sent a {message['kind']} instead of a description")
    return message


async def _clean_forever(database: Database) -> None:
    while True:
        try:
            await uploads.clean_up(database)
        except Exception as error:
            if not is_unavailable(error):
                log.exception("deleting what broken uploads left failed; it is tried again")
        await asyncio.sleep(CLEANING)
