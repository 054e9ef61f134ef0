"""Exporter: BPX documents of parameter values, written for a server: each in a child process with limits, at most
PLACES at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

from app.errors import RateLimited, RequestError, RequestErrorCode, VoltgraphError
from app.execution.on_demand import Bulkhead, ChildrenOnDemand
from app.execution.processes import ChildDied, limits_of
from app.models.enums import JobErrorCode
from app.pipelines.results.parameter_sets import Charge
from app.settings import Settings

log = logging.getLogger("voltgraph")

PLACES, MOST_WAITING = 2, 16
"""Documents that one server has written at a time, and further ones that wait."""
SECONDS = 60.0
"""Time limit of a document, its waiting and the imports of the first one included."""
MEMORY = 1024 * 2**20
"""Maximum bytes of memory of a process besides the imported libraries; fewer if VOLTGRAPH_JOB_MEMORY is."""
EXPORT = "app.battery.entries.bpx.export:export"
BUSY = "Too many BPX documents are written at the same time. Try again later."
SLOW = f"Writing the BPX document took longer than {SECONDS:g} s. Take the format PYBAMM or CSV, or try again."
DIED = "The process that wrote the BPX document ended. Take the format PYBAMM or CSV, or try again."


class ExportFailed(VoltgraphError):
    """A document cannot be written: a fault of the server."""


class Exporter:
    """Exporter of one server. The caller has checked who may see the values."""

    def __init__(self, settings: Settings, children: ChildrenOnDemand) -> None:
        self._children = children
        limits = limits_of(settings)
        self._limits = replace(limits, memory=min(limits.memory, MEMORY), cpu=SECONDS)
        self._bulkhead = Bulkhead(PLACES, MOST_WAITING, BUSY)

    async def bpx(self, values: Mapping[str, Any], title: str, charge: Charge) -> dict[str, Any]:
        """Return a BPX `document` of parameter values, and what it does not hold: `omitted`. The caller is charged for
        the seconds. Raises RequestError, also with BUSY and RATE_LIMITED, and ExportFailed."""
        charge(0.0)
        request = {"kind": "export", "export": EXPORT, "values": values, "title": title}
        try:
            async with asyncio.timeout(SECONDS), self._bulkhead.place():
                children = await self._children.start()
                async with children.child(request, limits=self._limits, is_urgent=True) as child:
                    began = monotonic()
                    try:
                        message = await child.message()
                    finally:
                        with suppress(RateLimited):  # what cannot be paid now refuses the next request
                            charge(monotonic() - began)
        except TimeoutError:
            raise RequestError(RequestErrorCode.TIMEOUT, SLOW) from None
        except ChildDied as death:
            log.warning("writing a BPX document: %s", death)
            raise RequestError(RequestErrorCode.UNAVAILABLE, DIED) from None
        if message["kind"] == "failed":
            raise _failure(message)
        return _checked(message)


def _checked(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a child process wrote; it is not trusted."""
    result = message.get("result")
    omitted = result.get("omitted") if isinstance(result, dict) else None
    fields = ("name", "reason")
    if (
        isinstance(omitted, list)
        and isinstance(result, dict)
        and isinstance(result.get("document"), dict)
        and all(isinstance(e, dict) and all(isinstance(e.get(name), str) for name in fields) for e in omitted)
    ):
        return result
    log.warning("the process that wrote a BPX document sent something else")
    raise RequestError(RequestErrorCode.UNAVAILABLE, DIED)


def _failure(message: dict[str, Any]) -> Exception:
    code, text = message["code"], message["message"]
    if code == JobErrorCode.MODEL_ERROR.name:  # a limit of the process, or values that it cannot use
        return RequestError(RequestErrorCode.TOO_COMPLEX, f"{text} Take the format PYBAMM or CSV.")
    if code in (JobErrorCode.SUBMISSION_FAILED.name, JobErrorCode.CONFIGURATION_ERROR.name):
        return RequestError(RequestErrorCode.UNAVAILABLE, text)
    return ExportFailed(text)
