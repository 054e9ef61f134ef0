"""Run of one pipeline: check all elements, then run them in order, each in a child process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import orjson

from app.auth.redaction import Redaction, passwords
from app.database import telemetry
from app.database.availability import is_unavailable, retry_until_available
from app.database.interface import Database
from app.execution.checking.requests import check_request, data_request, job, reference_fault
from app.execution.executor import JobFailed, Progress
from app.execution.lease import Lease, LeaseLost
from app.execution.processes import ChildDied, ChildProcess, ChildProcesses, ForkServerFailed
from app.execution.streams.job_log import JobLog
from app.measurements import runs
from app.measurements.runs import RunData, WrongReference
from app.models.enums import ElementType, JobErrorCode, JobStatus, PipelineElementStatus
from app.models.tables import PipelineElement
from app.settings import Settings

log = logging.getLogger("voltgraph")

LOOK = 0.5
"""Seconds between two checks of the lease."""
CHECKPOINT = 1.0
"""Seconds between two stored checkpoints, and between two writes of a log."""
MOST_TRACEBACK = 20_000
"""Maximum characters of a job's traceback in the log."""


Ended = Callable[[str, str, float], None]
"""Callback for the end of a job: element type, outcome, seconds."""


def uncounted(element_type: str, outcome: str, seconds: float) -> None:
    """Ignore the end of a job."""


class Runner:
    """Runner of pipelines in one worker."""

    def __init__(
        self, database: Database, children: ChildProcesses, settings: Settings, ended: Ended = uncounted
    ) -> None:
        self._database, self._children, self._settings, self._ended = database, children, settings, ended
        self._redaction = Redaction(passwords(settings.database_url))

    async def run(self, lease: Lease) -> None:
        """Run a pipeline to its end. Completed elements do not run again. Return early if the lease is lost."""
        with telemetry.run_span(lease.pipeline_id, lease.attempt):
            await self._run(lease)

    async def _run(self, lease: Lease) -> None:
        if lease.attempt > 1:
            log.info("pipeline %s continues, attempt %s", lease.pipeline_id, lease.attempt, extra=_fields(lease))
        try:
            elements = await lease.elements()
            async with self._data(lease, elements) as data:
                if failures := _unresolved(data.run) or await self._refused(lease, elements, data):
                    await retry_until_available(lambda: lease.fail(failures))
                    for element in elements:
                        if element.id in failures:
                            _log_failure(lease, element, failures[element.id])
                            self._ended(element.element_type.name, JobStatus.FAILED.name, 0.0)
                    return
                await self._run_all(lease, elements, data)
        except LeaseLost:
            log.info("the run of %s was canceled or taken over", lease.pipeline_id, extra=_fields(lease))

    @asynccontextmanager
    async def _data(self, lease: Lease, elements: list[PipelineElement]) -> AsyncIterator[_Data]:
        """Resolve the references of the elements that have to run and write their measurements to a folder, which is
        deleted at the end. Completed elements need none: theirs may be deleted."""
        completed = PipelineElementStatus.COMPLETED
        configs = [(each.id, each.job_config) for each in elements if each.status is not completed]
        run = await runs.resolve(self._database, lease.pipeline_id, configs)
        if run.wrong or not run.measurements:
            yield _Data(run)
            return
        with self._children.folder("run-") as folder:
            yield _Data(run, await data_request(self._database, run, folder))

    async def _run_all(self, lease: Lease, elements: list[PipelineElement], data: _Data) -> None:
        inputs: dict[str, Any] = {}
        has_completed = False
        for element in elements:
            is_last = element is elements[-1]
            has_completed = is_last and element.status is not PipelineElementStatus.COMPLETED
            try:
                result = await self._result(lease, element, inputs, data, is_last=is_last)
            except JobFailed as failure:
                await retry_until_available(partial(lease.fail, {element.id: failure}))
                return
            inputs |= result.get("parameter_values") or {}
        if not has_completed:
            await retry_until_available(lease.complete)

    async def _refused(self, lease: Lease, elements: list[PipelineElement], data: _Data) -> dict[str, JobFailed]:
        """Return the elements with a wrong configuration, by id. All elements are checked before the first one runs."""
        pending = {each.id for each in elements if each.status is not PipelineElementStatus.COMPLETED}
        if not pending:
            return {}
        first = next(each.id for each in elements if each.id in pending)
        try:  # together with the completed ones: the values that they define decide whether later elements are valid
            jobs = [_job(each) for each in elements]
            answer = await self._attempts(lease, check_request(jobs, data.request), None)
        except JobFailed as failure:
            return {first: failure}
        if len(answer["faults"]) != len(elements):
            unchecked = "The check reported nothing about some elements."
            return {first: JobFailed(JobErrorCode.INTERNAL_ERROR, unchecked)}
        return {
            element.id: _configuration_error(faults)
            for element, faults in zip(elements, answer["faults"], strict=True)
            if faults and element.id in pending
        }

    async def _result(
        self, lease: Lease, element: PipelineElement, inputs: dict[str, Any], data: _Data, *, is_last: bool
    ) -> dict[str, Any]:
        """Return the result of an element, which runs unless it has completed. The last one completes the pipeline
        too."""
        if element.status is PipelineElementStatus.COMPLETED:
            done: dict[str, Any] = orjson.loads(element.result or "{}")
            return done
        told = {
            telemetry.ELEMENT: element.name,
            telemetry.JOB: element.job_id or "",
            telemetry.PIPELINE: lease.pipeline_id,
        }
        request = {"kind": "run", "jobs": [_job(element)], "inputs": inputs, **data.request}
        with telemetry.span(f"job {element.element_type.name}", **told), self._counted(lease, element):
            answer = await self._attempts(lease, request, element)
            result: dict[str, Any] = answer["result"]
            _pin(result, data.run.pins(element.id))
            await retry_until_available(lambda: lease.complete_element(element.id, result, is_last=is_last))
        return result

    @contextmanager
    def _counted(self, lease: Lease, element: PipelineElement) -> Iterator[None]:
        """Count and log how the job of an element begins and ends. A job that is abandoned to run again elsewhere has
        not ended."""
        start = monotonic()
        log.info("job %s of pipeline %s began", element.name, lease.pipeline_id, extra=_fields(lease, element))

        def ended(outcome: JobStatus) -> None:
            seconds = monotonic() - start
            self._ended(element.element_type.name, outcome.name, seconds)
            if outcome is not JobStatus.FAILED:
                fields = _fields(lease, element, outcome=outcome.name, seconds=round(seconds, 3))
                log.info("job %s of pipeline %s: %s", element.name, lease.pipeline_id, outcome.value, extra=fields)

        try:
            yield
        except JobFailed as failure:
            _log_failure(lease, element, failure)
            ended(JobStatus.FAILED)
            raise
        except LeaseLost:
            ended(JobStatus.CANCELED)
            raise
        ended(JobStatus.COMPLETED)

    async def _attempts(self, lease: Lease, request: dict[str, Any], element: PipelineElement | None) -> dict[str, Any]:
        """Return the answer of a child process; retry with a new one if it dies, up to `job_retries` times."""
        deadline = monotonic() + self._settings.job_timeout
        for left in range(self._settings.job_retries, -1, -1):
            if element is not None:
                await lease.begin(element.id)
            try:
                return await self._attempt(lease, request, element, deadline)
            except ChildDied as death:
                log.warning("%s in pipeline %s", death, lease.pipeline_id, extra=_fields(lease, element))
                if not left:
                    died = f"The process that did the job died{death.by}."
                    message = str(death) if isinstance(death, ForkServerFailed) else died
                    raise JobFailed(JobErrorCode.INTERNAL_ERROR, message) from None
        raise AssertionError("there is always a last attempt")

    async def _attempt(
        self, lease: Lease, request: dict[str, Any], element: PipelineElement | None, deadline: float
    ) -> dict[str, Any]:
        """Return the answer of one child process. Stop the child if the run is canceled or takes too long."""
        progress = _Kept(lease, element, JobLog(self._settings.job_log_bytes, self._redaction))
        try:
            async with self._children.child(request, progress.log) as child:
                answer = await self._talk(child, lease, progress, deadline)
        except (ChildDied, JobFailed) as failure:
            progress.log.note(str(failure))
            await retry_until_available(lambda: progress.flush(0))
            raise
        await retry_until_available(lambda: progress.flush(0))
        return answer

    async def _talk(self, child: ChildProcess, lease: Lease, progress: _Kept, deadline: float) -> dict[str, Any]:
        """Return the answer of a child process, once its log is complete. Raises JobFailed, ChildDied, LeaseLost."""
        talking = asyncio.create_task(_answer(child, progress))
        watching = asyncio.create_task(self._watch(lease, child, progress, deadline))
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
            await progress.settle()
        await child.logged()
        try:
            return talking.result()
        except ChildDied as death:
            ending = await child.ending()
            found = ending.exceeded(self._children.limits, progress.log.errors.decode("utf-8", "replace"))
            if found is not None:
                raise JobFailed(*found) from None
            death.by = f" by {ending.name}" if ending.name else ""
            raise

    async def _watch(self, lease: Lease, child: ChildProcess, progress: _Kept, deadline: float) -> None:
        """Store progress until the run is canceled (LeaseLost), or reaches its limit of time or disk (JobFailed). While
        the database is unavailable the state of the run is unknown, and the job continues."""
        limits = self._children.limits
        while monotonic() < deadline:
            await asyncio.sleep(LOOK)
            if await child.has_written(limits.disk):
                raise JobFailed(JobErrorCode.MODEL_ERROR, limits.disk_exceeded)
            try:
                await progress.flush(CHECKPOINT)
                if not await lease.lasts():
                    raise LeaseLost(lease.pipeline_id)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                log.warning("the state of the run of %s cannot be read: %s", lease.pipeline_id, type(error).__name__)
        raise JobFailed(JobErrorCode.EXECUTION_TIMEOUT, f"The job took longer than {self._settings.job_timeout:g} s.")


@dataclass(frozen=True, slots=True)
class _Data:
    """Data of a run, and the part of each request that tells of its files."""

    run: RunData
    request: dict[str, Any] = field(default_factory=dict)


async def _answer(child: ChildProcess, progress: _Kept) -> dict[str, Any]:
    """Return the final message of a child process. Raises JobFailed or ChildDied."""
    while True:
        message = await child.message()
        if message["kind"] == "failed":
            failure = JobFailed(JobErrorCode[message["code"]], message["message"], message["detail"])
            failure.traceback = (message.get("traceback") or "")[-MOST_TRACEBACK:] or None
            raise failure
        if message["kind"] == "series":
            await progress.keep_series(message)
        elif message["kind"] == "progress":
            progress.take(message)
        else:
            return message


class _Kept:
    """Writer of a job's series, log and checkpoints: at most one checkpoint a second, if the pipeline wants them."""

    def __init__(self, lease: Lease, element: PipelineElement | None, log: JobLog) -> None:
        self._lease, self._element, self.log = lease, element, log
        self._last = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._series = 0
        self._pending: dict[str, Any] | None = None

    def take(self, message: dict[str, Any]) -> None:
        wanted = self._lease.live_progress_updates
        if self._element is not None and wants_checkpoints(wanted, self._element.element_type):
            self._pending = message

    async def keep_series(self, message: dict[str, Any]) -> None:
        """Write a series before the next one is received, so that at most one is in memory."""
        if self._element is not None:
            keep = partial(self._lease.keep_series, self._element.id, self._series, message)
            self._series += 1
            await retry_until_available(keep)

    async def flush(self, interval: float) -> None:
        """Write the lines of the log and the pending checkpoint, each unless the last was written less than `interval`
        seconds ago. A write that has begun ends, even if its caller is canceled."""
        self._writing = asyncio.create_task(self._flush(interval))
        await asyncio.shield(self._writing)

    async def settle(self) -> None:
        """Wait for the end of a write whose caller was canceled. Its error is that of the next write."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _flush(self, interval: float) -> None:
        if self._element is None:
            return
        lines = self.log.take(interval)
        if lines:
            try:
                await self._lease.keep_log(self._element.id, lines)
            except Exception:
                self.log.put_back(lines)
                raise
        if self._pending is None or monotonic() - self._last < interval:
            return
        message, self._pending = self._pending, None
        self._last = monotonic()
        progress = Progress(message["iteration"], message["cost"], message["best_cost"], message["parameters"])
        await self._lease.keep(self._element.id, progress)


def _job(element: PipelineElement) -> dict[str, Any]:
    return job(element.name, element.element_type, element.job_config)


def _fields(lease: Lease, element: PipelineElement | None = None, **more: Any) -> dict[str, Any]:
    """Return the fields of a log line about a run or a job."""
    fields = {"pipeline": lease.pipeline_id, "request_id": lease.request_id, **more}
    if element is not None:
        fields |= {"element": element.name, "element_id": element.id, "job": element.job_id}
    return {"fields": fields}


def _log_failure(lease: Lease, element: PipelineElement, failure: JobFailed) -> None:
    """Log a failed job; a fault of the server is an error with its traceback."""
    level = logging.ERROR if failure.code is JobErrorCode.INTERNAL_ERROR else logging.INFO
    fields = _fields(lease, element, code=failure.code.name, traceback=failure.traceback)
    said = (element.name, lease.pipeline_id, failure.code.name, failure.message)
    log.log(level, "job %s of pipeline %s failed: %s: %s", *said, extra=fields)


def _unresolved(run: RunData) -> dict[str, JobFailed]:
    """Return the elements whose references cannot be resolved, by id."""
    return {
        id: _configuration_error([_reference_fault(reference) for reference in references])
        for id, references in run.wrong.items()
    }


def _reference_fault(reference: WrongReference) -> dict[str, Any]:
    fault = reference_fault(reference)
    return {"message": fault.message, "path": [*map(str, fault.path)]}


def _pin(result: dict[str, Any], pins: dict[str, dict[str, Any]]) -> None:
    """Write which measurements an element read into its effective configuration."""
    effective = result.get("effective_config")
    if pins and isinstance(effective, dict):
        effective["measurements"] = pins


def _configuration_error(faults: list[dict[str, Any]]) -> JobFailed:
    said = "; ".join(f"{'.'.join(fault['path'])}: {fault['message']}".removeprefix(": ") for fault in faults)
    return JobFailed(JobErrorCode.CONFIGURATION_ERROR, said, {"problems": faults})


def wants_checkpoints(option: bool | None, kind: ElementType) -> bool:
    """Return whether checkpoints are stored: the pipeline's option, by default only for fits."""
    return kind is ElementType.DATA_FIT if option is None else option
