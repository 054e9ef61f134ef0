"""Worker: dispatches queued pipelines to its places, sends heartbeats, and reconciles the queue with its runs."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import astuple
from datetime import timedelta
from functools import partial
from time import monotonic

import uuid_utils
from sqlalchemy import delete
from sqlalchemy.engine import URL
from sqlmodel import col, func
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import retention
from app.database.availability import is_unavailable, retry_until_available
from app.database.changes import Change
from app.database.interface import Database
from app.execution.lease import Lease
from app.execution.processes import ChildProcesses
from app.execution.queue import RunningLimits, RunQueue
from app.execution.reading.ingester import ingesting
from app.execution.runner import Ended, Runner, uncounted
from app.execution.sandbox.isolation import Isolation, isolation
from app.models.columns import now
from app.models.enums import JobErrorCode, PipelineStatus
from app.models.sql import is_file, sql_of
from app.models.tables import Worker
from app.pipelines import lifecycle
from app.settings import Settings

log = logging.getLogger("voltgraph")

HEARTBEAT = 2.0
"""Seconds between two heartbeats, and between two reconciliations of the queue with the runs of this process. Starts
wake the worker at once; a start whose notification was lost waits for this long."""
ALONE = "local"
"""Name of the only worker of a SQLite file."""
TRIES, PAUSE = 10, 1.0
"""Attempts of a run that failed for another reason than its job, and the seconds between them."""
PRUNE, PRUNE_PAUSE = 300.0, 0.05
"""Seconds between two deletions of old runs, and between two of their transactions."""
FAREWELL = 5.0
"""Seconds that the release of pipelines may take at the end of a worker."""


@asynccontextmanager
async def child_processes(settings: Settings) -> AsyncIterator[ChildProcesses | None]:
    """Keep the child processes of a worker until exit; None if this process runs no pipelines."""
    if settings.workers == 0:
        yield None
        return
    async with ChildProcesses(settings) as children:
        yield children


@asynccontextmanager
async def working(
    settings: Settings, url: URL, database: Database, children: ChildProcesses | None, ended: Ended = uncounted
) -> AsyncIterator[None]:
    """Run pipelines until exit; without child processes, none. Those that are running at exit return to the queue, for
    the next worker or another one."""
    if children is None:
        yield
        return
    _log_isolation(isolation(settings.sandbox))
    limits = RunningLimits(settings.max_running, settings.max_running_per_key)
    queue = RunQueue(database, _name(settings, url), limits)
    worker = _Worker(database, queue, Runner(database, children, settings, ended), settings)
    alone = queue.worker_id == ALONE
    async with ingesting(settings, database, children, alone=alone), worker.at_work():
        yield


def _log_isolation(confined: Isolation) -> None:
    """Log the isolation of jobs, and what an operator should change."""
    log.info("isolation of jobs: %s", confined.level, extra={"fields": confined.to_json()})
    for warning in confined.warnings:
        log.warning("isolation of jobs: %s", warning)


def _name(settings: Settings, url: URL) -> str:
    """Return a name that no other worker has or had. SQLite has one worker with a fixed name, which continues its runs
    at once."""
    if is_file(url):
        return ALONE
    return f"{settings.worker_id or socket.gethostname()}-{uuid_utils.uuid7()}"


class _Worker:
    """Worker of this process: a dispatcher of claimed pipelines to its places."""

    def __init__(self, database: Database, queue: RunQueue, runner: Runner, settings: Settings) -> None:
        self._database, self._queue, self._runner, self._settings = database, queue, runner, settings
        self._runs: dict[tuple[str, int], asyncio.Task[None]] = {}
        """Runs by pipeline and attempt: a worker that was taken over may claim a pipeline before its own earlier run of
        it ends."""
        self._woken = asyncio.Event()
        self._is_alone = queue.worker_id == ALONE

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Claim and run pipelines until exit."""
        with self._database.broker.watch(self._heard):
            await self._database.listen()
            tasks = [asyncio.create_task(self._dispatch_forever())]
            if not self._is_alone:
                tasks.append(asyncio.create_task(self._beat_forever()))
            if self._settings.keep_days is not None:
                tasks.append(asyncio.create_task(self._prune_forever(timedelta(days=self._settings.keep_days))))
            try:
                yield
            finally:
                await _stop(tasks)
                await _stop([*self._runs.values()])
                await self._leave()

    def _heard(self, change: Change | None) -> None:
        """Wake the dispatcher when a run starts, or when one may start because another has ended."""
        before, after = (change.before, change.after) if change is not None else (None, None)
        was, is_ = (None if state is None else state.status for state in (before, after))
        is_unknown = was is is_ is None
        if is_unknown or (was is not is_ and (is_ is PipelineStatus.RUNNING or self._queue.has_limits)):
            self._woken.set()

    async def _dispatch_forever(self) -> None:
        """Claim pipelines whenever a place is free and one may wait, and reconcile at each heartbeat."""
        reconciled = await self._begin()
        while True:
            self._woken.clear()
            try:
                if monotonic() - reconciled > HEARTBEAT:
                    await self._reconcile()
                    reconciled = monotonic()
                await self._claim()
            except Exception as error:
                _log_failure("claiming pipelines", error)
                await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await self._woken.wait()

    async def _begin(self) -> float:
        """Prepare the queue: a heartbeat before the first claim, or, for the only worker of a file, a release of all
        runs that the process before left."""
        while True:
            try:
                await (self._queue.release_everything() if self._is_alone else self._beat())
                return monotonic()
            except Exception as error:
                _log_failure("the start of the worker", error)
                await asyncio.sleep(PAUSE)

    async def _claim(self) -> None:
        free = self._settings.workers - len(self._runs)
        for lease in await self._queue.claim(free) if free > 0 else []:
            key = lease.pipeline_id, lease.attempt
            self._runs[key] = run = asyncio.create_task(self._run(lease))
            run.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[str, int], _: asyncio.Task[None]) -> None:
        del self._runs[key]
        self._woken.set()

    async def _reconcile(self) -> None:
        """Return pipelines to the queue that this worker holds by the tables but does not run: the claim was committed,
        and its acknowledgement lost."""
        mine = {id for id, _ in self._runs}  # before the read: a run may end meanwhile
        if lost := await self._queue.held() - mine:
            log.warning("claimed pipelines return to the queue: %s", ", ".join(sorted(lost)))
            await self._queue.release(sorted(lost))

    async def _run(self, lease: Lease) -> None:
        """Run a pipeline. Retry while the database is unavailable, and up to TRIES times after other errors; then the
        pipeline fails. A failed job is not an error here."""
        left = TRIES
        while left:
            try:
                await self._runner.run(lease)
                return
            except Exception as error:
                left -= not is_unavailable(error)
                _log_failure(f"the run of {lease.pipeline_id}", error)
                await asyncio.sleep(PAUSE)
        message = "The run failed repeatedly; the log of the server has the reason."
        fail = partial(lifecycle.fail, self._database, lease.pipeline_id, lease.attempt)
        await retry_until_available(lambda: fail(JobErrorCode.INTERNAL_ERROR, message))

    async def _beat_forever(self) -> None:
        steady_since = monotonic()
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                await self._beat()
                # After an outage of the database no worker has sent a heartbeat: give each time to send one.
                if monotonic() - steady_since > self._settings.worker_timeout:
                    await self._take_over()
            except Exception as error:
                steady_since = monotonic()
                _log_failure("the heartbeat", error)

    async def _beat(self) -> None:
        """Write a heartbeat with the database's clock, because the clocks of machines differ."""

        async def work(session: AsyncSession) -> None:
            row = {"id": self._queue.worker_id, "heartbeat_at": func.now()}
            await session.exec(sql_of(self._database.dialect).upsert(Worker, row, "id"))

        await self._database.write(work)

    async def _take_over(self) -> None:
        if dead := await self._queue.take_over(self._settings.worker_timeout):
            log.warning("workers without a heartbeat are taken over: %s", ", ".join(dead))
            self._woken.set()

    async def _prune_forever(self, age: timedelta) -> None:
        """Delete old runs in rounds, and give their space back."""
        while True:
            try:
                removed = await retention.prune(self._database, now() - age, PRUNE_PAUSE)
                if any(astuple(removed)):
                    log.info("deleted what is older than %g days: %s", age / timedelta(days=1), removed)
                await self._database.free_space()
            except Exception as error:
                _log_failure("the deletion of old runs", error)
            await asyncio.sleep(PRUNE)

    async def _leave(self) -> None:
        """Return all pipelines to the queue. If that fails, they are taken over later."""

        async def forget(session: AsyncSession) -> None:
            await session.exec(delete(Worker).where(col(Worker.id) == self._queue.worker_id))

        try:
            async with asyncio.timeout(FAREWELL):
                await self._queue.release_all()
                await self._database.write(forget)
        except Exception as error:
            log.warning("the pipelines of this worker did not return to the queue: %s", type(error).__name__)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(what: str, error: Exception) -> None:
    """Log an error: one line while the database is unavailable, otherwise the traceback."""
    if is_unavailable(error):
        log.warning("%s failed, because the database is unavailable: %s", what, type(error).__name__)
    else:
        log.error("%s failed; it is tried again", what, exc_info=error)
