"""Checker: finds the problems of a pipeline's configurations before it is stored or runs, as its run would."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from app.auth.caller import Caller
from app.auth.rate_limit import RateLimiter
from app.database.interface import Database
from app.errors import RateLimited, RequestError, RequestErrorCode
from app.execution.checking.places import Places
from app.execution.checking.requests import check_request, data_request, job, reference_fault
from app.execution.executor import Fault
from app.execution.forkserver import CANNOT_RUN
from app.execution.on_demand import ChildrenOnDemand
from app.execution.processes import ChildDied, ChildProcess, ChildProcesses, ForkServerFailed, limits_of
from app.execution.sandbox.limits import MEBIBYTE
from app.measurements import runs
from app.measurements.files import FileGone
from app.measurements.runs import RunData
from app.models.enums import JobErrorCode
from app.pipelines.elements import Element
from app.settings import Settings

log = logging.getLogger("voltgraph")

MEMORY = 1024 * MEBIBYTE
"""Maximum bytes of memory of a check besides the imported libraries; fewer if VOLTGRAPH_JOB_MEMORY is."""
MOST_DATA = 1024 * MEBIBYTE
"""Maximum bytes of the measurements that one check reads."""
OFF = "This server checks no pipelines before they run (VOLTGRAPH_MAX_CHECKS is 0)."
DIED = "The process that checked the pipeline ended{}. Its run would end so, too, unless the server was overloaded."
CANNOT_CHECK = (
    "This server, which runs no pipelines (VOLTGRAPH_WORKERS is 0), cannot check them: {} Install what "
    "VOLTGRAPH_EXECUTOR needs here too, or set VOLTGRAPH_MAX_CHECKS to 0."
)
GONE = "A measurement of the pipeline was deleted during the check. Try again."


class Checker:
    """Checker of one server process."""

    def __init__(self, settings: Settings, database: Database, children: ChildrenOnDemand) -> None:
        self._settings, self._database, self._children = settings, database, children
        limits = limits_of(settings)
        self._limits = replace(limits, memory=min(limits.memory, MEMORY), cpu=settings.check_timeout)
        self._places = Places(settings.max_checks)

    async def faults(self, caller: Caller, elements: Sequence[Element], limiter: RateLimiter) -> list[list[Fault]]:
        """Return the problems of each element, in order. The key of the caller is charged for the time. Raises
        RequestError, also with BUSY and RATE_LIMITED."""
        if not self._settings.max_checks:
            raise RequestError(RequestErrorCode.UNAVAILABLE, OFF)
        if not elements:
            return []
        if asyncio.current_task() is None:
            await asyncio.sleep(0)  # timeouts need a Task, in which a suspended coroutine continues
        limiter.charge(caller, 0)
        async with self._places.place(caller.organization_id):
            return await self._checked(caller, elements, limiter)

    async def _checked(self, caller: Caller, elements: Sequence[Element], limiter: RateLimiter) -> list[list[Fault]]:
        configs = [(str(index), element.config) for index, element in enumerate(elements)]
        data = await runs.resolve_visible(self._database, caller, configs)
        if data.wrong:  # a run, too, ends with these
            wrong = [data.wrong.get(str(index), []) for index in range(len(elements))]
            return [[*map(reference_fault, references)] for references in wrong]
        _require_size(data)
        children = await self._children.start()
        try:
            with children.folder("check-") as folder:
                began = monotonic()
                try:
                    async with asyncio.timeout(self._settings.check_timeout):
                        told = await data_request(self._database, data, folder) if data.measurements else {}
                    return await self._ask(children, elements, told)
                finally:
                    _charge(limiter, caller, monotonic() - began)
        except TimeoutError:
            raise RequestError(RequestErrorCode.TIMEOUT, self._slow) from None
        except FileGone:
            raise RequestError(RequestErrorCode.UNAVAILABLE, GONE) from None
        except ForkServerFailed as error:
            raise RequestError(RequestErrorCode.UNAVAILABLE, str(error)) from None

    async def _ask(
        self, children: ChildProcesses, elements: Sequence[Element], data: dict[str, Any]
    ) -> list[list[Fault]]:
        """Return what a child process finds. Raises RequestError and ForkServerFailed."""
        request = check_request((job(*each) for each in elements), data)
        try:
            async with children.child(request, limits=self._limits, is_urgent=True) as child:
                try:
                    async with asyncio.timeout(self._settings.check_timeout):
                        return await self._heard(child, len(elements))
                except TimeoutError:
                    raise RequestError(RequestErrorCode.TIMEOUT, self._slow) from None
        except ForkServerFailed:
            raise
        except ChildDied as death:
            log.warning("the check of a pipeline: %s%s", death, death.by)
            raise RequestError(RequestErrorCode.UNAVAILABLE, DIED.format(death.by)) from None

    async def _heard(self, child: ChildProcess, count: int) -> list[list[Fault]]:
        """Return the answer of a child process, which is not trusted. Raises RequestError and ChildDied."""
        try:
            message = await child.message()
            if message["kind"] == "failed":
                return self._failed(message, count)
            if message["kind"] != "faults" or len(message["faults"]) != count:
                raise ChildDied(f"the process {child.pid} sent something else than the problems of {count} elements")
        except ChildDied as death:
            ending = await child.ending()
            if exceeded := ending.exceeded(self._limits, ""):
                raise self._too_much(exceeded[0]) from None
            death.by = f" by {ending.name}" if ending.name else ""
            raise
        return [[Fault(each["message"], tuple(each["path"])) for each in found] for found in message["faults"]]

    def _failed(self, message: dict[str, Any], count: int) -> list[list[Fault]]:
        """Return the failure of a check as a problem of the first element, whose job it would fail. Raises RequestError
        for a failure that a run with its higher limits, or another process, may not have."""
        code, text = JobErrorCode[message["code"]], message["message"]
        if code is JobErrorCode.MODEL_ERROR:
            raise self._too_much(code)
        if not self._children.is_shared and text.startswith(CANNOT_RUN):
            raise RequestError(RequestErrorCode.UNAVAILABLE, CANNOT_CHECK.format(text))
        if code is JobErrorCode.INTERNAL_ERROR:
            fields = {"fields": {"traceback": message.get("traceback")}}
            log.error("the check of a pipeline failed: %s", text, extra=fields)
        return [[Fault(text)], *([] for _ in range(count - 1))]

    def _too_much(self, code: JobErrorCode) -> RequestError:
        """Return the error of a check that reached a limit of its process."""
        if code is JobErrorCode.EXECUTION_TIMEOUT:
            return RequestError(RequestErrorCode.TIMEOUT, self._slow)
        memory = f"The check needs more than {self._limits.memory // MEBIBYTE} MiB of memory. Check fewer elements."
        return RequestError(RequestErrorCode.TOO_COMPLEX, memory)

    @property
    def _slow(self) -> str:
        seconds = f"{self._settings.check_timeout:g} s (VOLTGRAPH_CHECK_TIMEOUT)"
        return f"The check took longer than {seconds}. Try again, or check fewer elements."


def _require_size(data: RunData) -> None:
    """Raise TOO_COMPLEX if the measurements are too large for a check."""
    size = sum(pinned.file.byte_count for pinned in data.measurements.values())
    if size > MOST_DATA:
        most = f"A check reads at most {MOST_DATA // MEBIBYTE} MiB of measurements, not {size // MEBIBYTE} MiB."
        raise RequestError(RequestErrorCode.TOO_COMPLEX, most)


def _charge(limiter: RateLimiter, caller: Caller, seconds: float) -> None:
    """Charge for time that was used. If it cannot be paid, the next check is refused, not this one."""
    try:
        limiter.charge(caller, seconds)
    except RateLimited:
        log.info("a check was charged beyond the rate limit of its key")
