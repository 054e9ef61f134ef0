"""Parts of stored tables, read for a server: each in a child process with limits, at most PLACES at a time.

The fork server of these processes starts with the first part, because most servers never need it. It imports no
executor.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.database.interface import Database
from app.errors import AnswerTooLarge, RequestError, RequestErrorCode, VoltgraphError
from app.execution import forkserver
from app.execution.on_demand import Bulkhead, ChildrenOnDemand
from app.execution.processes import ChildDied, ChildProcess
from app.measurements import files
from app.measurements.parts import Part
from app.models.enums import JobErrorCode
from app.models.measurements import MeasurementFile
from app.settings import Settings

log = logging.getLogger("voltgraph")

PLACES, MOST_WAITING = 2, 16
"""Parts that one server reads at a time, and further ones that wait."""
SECONDS = 30.0
"""Time limit of a part, its waiting included."""
CACHED = 16 * 2**20
"""Bytes of the answers that a server keeps."""
TABLE = "table"
"""Name of the file in the folder of its process."""
BUSY = "Too many windows of measurements are read at the same time. Try again later."
SLOW = f"Reading the window took longer than {SECONDS:g} s. Ask for fewer columns or a smaller window, or try again."
DIED = "The process that read the window ended. Ask for fewer columns or a smaller window, or try again."


class PartFailed(VoltgraphError):
    """A stored table cannot be read: a fault of the server."""


class Parts:
    """Reader of parts in one server, with a cache of its last answers: a stored file never changes. The caller of
    `read` has checked who may see the measurement."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        executor = f"{forkserver.__name__}:{forkserver.Missing.__name__}"
        self._settings = settings.model_copy(update={"executor": executor, "job_timeout": SECONDS, "job_cpu": SECONDS})
        self._children = ChildrenOnDemand(self._settings)
        self._bulkhead = Bulkhead(PLACES, MOST_WAITING, BUSY)
        self._answers: OrderedDict[tuple[str, Part], bytes] = OrderedDict()
        self._kept = 0

    async def __aenter__(self) -> Parts:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._children.aclose()

    async def read(self, file: MeasurementFile, part: Part) -> bytes:
        """Return a part as JSON, `{column: [number or null, …]}`. Raises RequestError, FileGone, and PartFailed."""
        key = file.id, part
        if (known := self._answers.get(key)) is not None:
            self._answers.move_to_end(key)
            return known
        answer = await self._fresh(file, part)
        self._keep(key, answer)
        return answer

    async def _fresh(self, file: MeasurementFile, part: Part) -> bytes:
        try:
            async with asyncio.timeout(SECONDS), self._bulkhead.place():
                samples = await self._samples(file, part)
        except TimeoutError:
            raise RequestError(RequestErrorCode.TIMEOUT, SLOW) from None
        except ChildDied as death:
            log.warning("reading a part of the file %s: %s", file.id, death)
            raise RequestError(RequestErrorCode.UNAVAILABLE, DIED) from None
        return await asyncio.to_thread(_written, samples)

    async def _samples(self, file: MeasurementFile, part: Part) -> dict[str, bytes]:
        """Return the samples of each column of a part, float64 and little-endian."""
        children = await self._children.start()
        with children.folder("part-") as folder:
            await files.copy_out(self._database, file, folder / TABLE)
            request = {
                "kind": "part",
                "path": str(folder / TABLE),
                "readable": [str(folder)],
                "part": asdict(part),
            }
            async with children.child(request, is_urgent=True) as child:
                return await _heard(child, part)

    def _keep(self, key: tuple[str, Part], answer: bytes) -> None:
        """Keep an answer, and forget those that were used least recently."""
        if len(answer) > CACHED // 4 or key in self._answers:
            return
        self._answers[key] = answer
        self._kept += len(answer)
        while self._kept > CACHED:
            self._kept -= len(self._answers.popitem(last=False)[1])


async def _heard(child: ChildProcess, part: Part) -> dict[str, bytes]:
    """Return what a child process read; it is not trusted. Raises AnswerTooLarge, PartFailed, and ChildDied."""
    names, samples, rows = part.columns, [b""] * len(part.columns), 0
    message = await child.message()
    if message["kind"] == "series":
        names, samples, rows = tuple(message["channels"]), message["samples"], message["rows"]
        message = await child.message()
    if message["kind"] == "failed":
        raise _failure(message)
    if message["kind"] != "result" or sorted(names) != sorted(part.columns) or rows > part.max_points:
        raise ChildDied(f"the process {child.pid} sent something else than the part")
    return _ordered(part.columns, names, samples)


def _ordered(wanted: Sequence[str], names: Sequence[str], samples: Sequence[bytes]) -> dict[str, bytes]:
    found = dict(zip(names, samples, strict=True))
    return {name: found[name] for name in wanted}


def _failure(message: dict[str, Any]) -> Exception:
    if message["code"] == JobErrorCode.MODEL_ERROR.name:  # a limit of the process
        return AnswerTooLarge(f"{message['message']} Ask for fewer columns or a smaller window.")
    if message["code"] == JobErrorCode.SUBMISSION_FAILED.name:
        return RequestError(RequestErrorCode.UNAVAILABLE, message["message"])
    return PartFailed(message["message"])


def _written(samples: dict[str, bytes]) -> bytes:
    from app.pipelines.results import downsampling  # it imports numpy, which a server without series does not need

    return downsampling.written(downsampling.arrays(samples))
