"""Worker: takes pipelines from the queue, sends heartbeats, and reconciles the queue with the tables."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import uuid_utils
from dbos import DBOS
from sqlalchemy.engine import URL
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.availability import is_unavailable
from app.database.interface import Database
from app.errors import SubmissionFailed
from app.execution.ingester import ingesting
from app.execution.processes import ChildProcesses
from app.execution.queue import ENDED, QUEUE, WORKFLOW, RunQueue, configuration
from app.execution.runner import Ended, Runner, uncounted
from app.models.columns import now
from app.models.enums import JobErrorCode
from app.models.sql import is_file, sql_of
from app.models.tables import AT_WORK, Pipeline, Worker
from app.pipelines import lifecycle
from app.settings import Settings

log = logging.getLogger("voltgraph")

POLLING = 0.2
"""Polling interval of the queue in seconds: the longest wait of a pipeline for a free slot. A poll takes 3 ms of CPU
time."""
MEND = 2.0
"""Seconds between two heartbeats; each is followed by a reconciliation."""
ALONE = "local"
"""Name of the only worker of a SQLite file."""
TAKE_OVER = 0x766F6C74
"""Key of PostgreSQL's advisory lock on taking over the pipelines of other workers."""
TRIES, PAUSE = 10, 1.0
"""Attempts of a run that failed for another reason than its job, and the seconds between them."""


class Stopping(BaseException):
    """Ends a workflow without an outcome, so that DBOS resumes it. A BaseException, because DBOS records an Exception
    as final."""


@asynccontextmanager
async def working(
    settings: Settings, url: URL, database: Database, engine: RunQueue, ended: Ended = uncounted
) -> AsyncIterator[None]:
    """Run pipelines until exit. The next worker, or another one, continues the pipelines that are running at exit."""
    if settings.workers == 0:
        yield
        return
    worker_id = _name(settings, url)
    async with (
        ChildProcesses(settings.executor) as children,
        ingesting(settings, database, children, alone=worker_id == ALONE),
    ):
        runner = Runner(database, children, settings, worker_id, ended)
        taken = _Taken(runner, asyncio.get_running_loop())
        await asyncio.to_thread(_launch, settings, url, worker_id, taken)
        mending = asyncio.create_task(_mend_forever(settings, database, engine, worker_id))
        try:
            yield
        finally:
            mending.cancel()
            taken.stop()
            await asyncio.gather(mending, return_exceptions=True)
            await asyncio.to_thread(DBOS.destroy)
            taken.release()


def _name(settings: Settings, url: URL) -> str:
    """Return a name that no other worker has or had. SQLite has one worker with a fixed name, which continues its runs
    at once."""
    if is_file(url):
        return ALONE
    return f"{settings.worker_id or socket.gethostname()}-{uuid_utils.uuid7()}"


class _Taken:
    """Registry of workflows that DBOS's threads took from the queue. Each runs on the event loop, and its thread waits
    for it."""

    def __init__(self, runner: Runner, loop: asyncio.AbstractEventLoop) -> None:
        self._runner, self._loop = runner, loop
        self._tasks: set[concurrent.futures.Future[None]] = set()
        self._stopping, self._released = threading.Event(), threading.Event()

    def run(self, pipeline_id: str) -> None:
        """Run a pipeline to its end; called in a thread. Raises Stopping if the worker stops first."""
        task = asyncio.run_coroutine_threadsafe(_persistently(self._runner.run, pipeline_id), self._loop)
        self._tasks.add(task)
        if self._stopping.is_set():
            task.cancel()
        try:
            task.result()
        except concurrent.futures.CancelledError:
            self._released.wait()
            raise Stopping from None
        finally:
            self._tasks.discard(task)

    def stop(self) -> None:
        """Cancel all runs, including those that the queue's threads are about to take. They keep their slots until
        `release`: pipelines that wait for a slot belong to other workers."""
        self._stopping.set()
        for task in list(self._tasks):
            task.cancel()

    def release(self) -> None:
        """End the threads of canceled runs, after the polling of the queue has ended."""
        self._released.set()


def _launch(settings: Settings, url: URL, worker_id: str, taken: _Taken) -> None:
    """Start DBOS, which polls the queue."""
    DBOS(config=configuration(url, worker_id))

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    def run_pipeline(pipeline_id: str) -> None:
        taken.run(pipeline_id)

    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=settings.workers, polling_interval_sec=POLLING)


async def _persistently(run: Callable[[str], Awaitable[None]], pipeline_id: str) -> None:
    """Run a pipeline. Retry while the database is unavailable, and up to TRIES times after other errors. A failed job
    is not an error here."""
    left = TRIES
    while True:
        try:
            return await run(pipeline_id)
        except Exception as error:
            left -= not is_unavailable(error)
            log.exception("the run of %s failed", pipeline_id)
            if not left:
                raise
            await asyncio.sleep(PAUSE)


async def _mend_forever(settings: Settings, database: Database, engine: RunQueue, worker_id: str) -> None:
    steady_since = monotonic()
    while True:
        try:
            if worker_id != ALONE:
                await _say_alive(database, worker_id)
                # After an outage of the database no worker has sent a heartbeat: give each time to send one.
                if monotonic() - steady_since > settings.worker_timeout:
                    await _take_over(settings, database, engine)
            await _mend(database, engine)
        except Exception:
            steady_since = monotonic()
            log.exception("reconciling the queue failed; it is tried again")
        await asyncio.sleep(MEND)


async def _say_alive(database: Database, worker_id: str) -> None:
    """Write a heartbeat with the database's clock, because the clocks of machines differ."""

    async def work(session: AsyncSession) -> None:
        row = {"id": worker_id, "heartbeat_at": func.now()}
        await session.exec(sql_of(database.dialect).upsert(Worker, row, "id"))

    await database.write(work)


async def _mend(database: Database, engine: RunQueue) -> None:
    """Reconcile the queue with the tables: enqueue running pipelines that the queue does not know, and fail those that
    the queue has dropped."""
    query = select(Pipeline.id).where(AT_WORK, col(Pipeline.started_at) < now() - timedelta(seconds=MEND))
    async with database.read() as session:
        running = list(await session.exec(query.order_by(col(Pipeline.started_at)).limit(1000)))
    states = await engine.states(running) if running else {}
    for id in running:
        if id not in states:
            try:
                await engine.submit(id)
            except SubmissionFailed:  # the database is down and has logged that: the next round tries again
                return
        elif states[id] in ENDED:
            await lifecycle.fail(database, id, JobErrorCode.INTERNAL_ERROR, "The queue lost this run.")


async def _take_over(settings: Settings, database: Database, engine: RunQueue) -> None:
    """Return the pipelines of workers without a heartbeat to the queue, under an advisory lock: of two workers that do
    so at once, the second finds none."""
    async with database.read() as session:
        if not await _find_dead(session, settings, engine):
            return

    async def work(session: AsyncSession) -> None:
        await session.exec(select(func.pg_advisory_xact_lock(TAKE_OVER)))
        if dead := await _find_dead(session, settings, engine):
            log.warning("workers without a heartbeat are taken over: %s", ", ".join(dead))
            await engine.requeue(dead)

    await database.write(work)


async def _find_dead(session: AsyncSession, settings: Settings, engine: RunQueue) -> list[str]:
    """Return the workers without a heartbeat that hold pipelines."""
    silent = func.now() - timedelta(seconds=settings.worker_timeout)
    alive = set(await session.exec(select(Worker.id).where(col(Worker.heartbeat_at) > silent)))
    return sorted(await engine.holders() - alive)
