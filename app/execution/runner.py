"""Runs one pipeline: checks all of its elements, then runs one after the other, each in a child process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import orjson

from app.away import is_away, patiently
from app.database import Database
from app.execution.children import Child, ChildDied, Children
from app.execution.executor import JobFailed, Progress
from app.execution.hold import Hold, HoldLost
from app.models import ElementType, JobErrorCode, JobStatus, PipelineElement, PipelineElementStatus
from app.settings import Settings

log = logging.getLogger("voltgraph")

LOOK = 0.5
"""Seconds between two looks at whether the run is still ours."""
CHECKPOINT = 1.0
"""Seconds between two checkpoints that are kept."""


Ended = Callable[[str, str, float], None]
"""Hears that a job ended: what its element was, how it ended, and after how many seconds."""


def uncounted(element_type: str, outcome: str, seconds: float) -> None:
    """For who does not count."""


class Runner:
    """Runs pipelines for one worker."""

    def __init__(
        self, database: Database, children: Children, settings: Settings, worker_id: str, ended: Ended = uncounted
    ) -> None:
        self._database, self._children, self._settings = database, children, settings
        self._worker_id, self._ended = worker_id, ended

    async def run(self, pipeline_id: str) -> None:
        """Bring a running pipeline to its end, unless somebody else does. What is completed is not run again."""
        hold = await Hold.take(self._database, pipeline_id, self._worker_id)
        if hold is None:
            return
        try:
            elements = await hold.elements()
            if failures := await self._refused(hold, elements):
                await patiently(lambda: hold.fail(failures))
                for element in elements:
                    if element.id in failures:
                        self._ended(element.element_type.name, JobStatus.FAILED.name, 0.0)
                return
            await self._run_all(hold, elements)
        except HoldLost:
            log.info("the run of %s was canceled or taken over", pipeline_id)

    async def _run_all(self, hold: Hold, elements: list[PipelineElement]) -> None:
        inputs: dict[str, Any] = {}
        for element in elements:
            try:
                result = await self._result(hold, element, inputs)
            except JobFailed as failure:
                await patiently(partial(hold.fail, {element.id: failure}))
                return
            inputs |= result.get("parameter_values") or {}
        await patiently(hold.complete)

    async def _refused(self, hold: Hold, elements: list[PipelineElement]) -> dict[str, JobFailed]:
        """The elements whose configuration is wrong, by id. All are checked before the first one runs."""
        pending = {each.id for each in elements if each.status is not PipelineElementStatus.COMPLETED}
        if not pending:
            return {}
        first = next(each.id for each in elements if each.id in pending)
        try:  # with the completed ones: what they define tells whether later ones fit
            answer = await self._attempts(hold, {"kind": "check", "jobs": [_job(each) for each in elements]}, None)
        except JobFailed as failure:
            return {first: failure}
        if len(answer["faults"]) != len(elements):
            unchecked = "The check said nothing of some elements."
            return {first: JobFailed(JobErrorCode.INTERNAL_ERROR, unchecked)}
        return {
            element.id: _configuration_error(faults)
            for element, faults in zip(elements, answer["faults"], strict=True)
            if faults and element.id in pending
        }

    async def _result(self, hold: Hold, element: PipelineElement, inputs: dict[str, Any]) -> dict[str, Any]:
        if element.status is PipelineElementStatus.COMPLETED:
            done: dict[str, Any] = orjson.loads(element.result or "{}")
            return done
        with self._counted(element):
            answer = await self._attempts(hold, {"kind": "run", "jobs": [_job(element)], "inputs": inputs}, element)
            result: dict[str, Any] = answer["result"]
            await patiently(lambda: hold.complete_element(element.id, result))
        return result

    @contextmanager
    def _counted(self, element: PipelineElement) -> Iterator[None]:
        """Tell how the job of an element ends. One that is given up half-way, to be run again, has not ended."""
        start = monotonic()

        def ended(outcome: JobStatus) -> None:
            self._ended(element.element_type.name, outcome.name, monotonic() - start)

        try:
            yield
        except JobFailed:
            ended(JobStatus.FAILED)
            raise
        except HoldLost:
            ended(JobStatus.CANCELED)
            raise
        ended(JobStatus.COMPLETED)

    async def _attempts(self, hold: Hold, request: dict[str, Any], element: PipelineElement | None) -> dict[str, Any]:
        """The answer of a child; of another one when the first dies, as often as is set."""
        deadline = monotonic() + self._settings.job_timeout
        for left in range(self._settings.job_retries, -1, -1):
            if element is not None:
                await hold.begin(element.id)
            try:
                return await self._attempt(hold, request, element, deadline)
            except ChildDied as death:
                log.warning("%s in pipeline %s", death, hold.pipeline_id)
                if not left:
                    message = "The process that did the job died."
                    raise JobFailed(JobErrorCode.INTERNAL_ERROR, message) from None
        raise AssertionError("there is always a last attempt")

    async def _attempt(
        self, hold: Hold, request: dict[str, Any], element: PipelineElement | None, deadline: float
    ) -> dict[str, Any]:
        """The answer of one child, which is stopped when its run is canceled or takes too long."""
        progress = _Kept(hold, element)
        async with self._children.child(request) as child:
            talking = asyncio.create_task(_answer(child, progress))
            watching = asyncio.create_task(self._watch(hold, progress, deadline))
            try:
                await asyncio.wait([talking, watching], return_when=asyncio.FIRST_COMPLETED)
                if not talking.done():
                    talking.cancel()
                    await asyncio.wait([talking])
                    await child.stop(self._settings.cancel_grace)
                    watching.result()
            finally:
                talking.cancel()
                watching.cancel()
                await asyncio.gather(talking, watching, return_exceptions=True)
        answer = talking.result()
        await patiently(lambda: progress.flush(0))
        return answer

    async def _watch(self, hold: Hold, progress: _Kept, deadline: float) -> None:
        """Keep progress until the run is canceled (HoldLost) or its time is over (JobFailed). While the database is
        away nothing is known, and the job goes on."""
        while monotonic() < deadline:
            await asyncio.sleep(LOOK)
            try:
                await progress.flush(CHECKPOINT)
                if not await hold.lasts():
                    raise HoldLost(hold.pipeline_id)
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("the run of %s cannot be looked at: %s", hold.pipeline_id, type(error).__name__)
        raise JobFailed(JobErrorCode.EXECUTION_TIMEOUT, f"The job took longer than {self._settings.job_timeout:g} s.")


async def _answer(child: Child, progress: _Kept) -> dict[str, Any]:
    """What comes of a child's request. JobFailed; ChildDied."""
    while True:
        message = await child.message()
        if message["kind"] == "failed":
            raise JobFailed(JobErrorCode[message["code"]], message["message"], message["detail"])
        if message["kind"] == "series":
            await progress.keep_series(message)
        elif message["kind"] == "progress":
            progress.take(message)
        else:
            return message


class _Kept:
    """Keeps the newest progress of a job, at most once a second, where its pipeline wants that; and its series."""

    def __init__(self, hold: Hold, element: PipelineElement | None) -> None:
        self._hold, self._element = hold, element
        self._last = 0.0
        self._series = 0
        self._pending: dict[str, Any] | None = None

    def take(self, message: dict[str, Any]) -> None:
        wanted = self._hold.live_progress_updates
        if self._element is not None and wants_checkpoints(wanted, self._element.element_type):
            self._pending = message

    async def keep_series(self, message: dict[str, Any]) -> None:
        """Write a series before the next is heard, so that no more than one is in memory."""
        if self._element is not None:
            keep = partial(self._hold.keep_series, self._element.id, self._series, message)
            self._series += 1
            await patiently(keep)

    async def flush(self, interval: float) -> None:
        """Write what is pending, unless the last was written less than `interval` seconds ago."""
        if self._pending is None or self._element is None or monotonic() - self._last < interval:
            return
        message, self._pending = self._pending, None
        self._last = monotonic()
        progress = Progress(message["iteration"], message["cost"], message["best_cost"], message["parameters"])
        await self._hold.keep(self._element.id, progress)


def _job(element: PipelineElement) -> dict[str, Any]:
    return {"name": element.name, "type": element.element_type.name, "config": orjson.Fragment(element.job_config)}


def _configuration_error(faults: list[dict[str, Any]]) -> JobFailed:
    said = "; ".join(f"{'.'.join(fault['path'])}: {fault['message']}".removeprefix(": ") for fault in faults)
    return JobFailed(JobErrorCode.CONFIGURATION_ERROR, said, {"problems": faults})


def wants_checkpoints(option: bool | None, kind: ElementType) -> bool:
    """Whether progress is kept: as the pipeline says, otherwise of fits, which take long."""
    return kind is ElementType.DATA_FIT if option is None else option
