"""A process that runs pipelines: takes them from the engine's queue, says that it lives, mends what others left."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from dbos import DBOS
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import col, select

from app import runs
from app.columns import now
from app.database import Database
from app.execution.children import Children
from app.execution.engine import ENDED, QUEUE, WORKFLOW, Engine, configuration
from app.execution.runner import Runner
from app.models import AT_WORK, JobErrorCode, Pipeline, Worker
from app.settings import Settings

log = logging.getLogger("voltgraph")

POLL = 0.2
"""Seconds between two looks into the queue: what a start waits at most. Each costs 5 ms of a core, also when idle."""
MEND = 2.0
"""Seconds between two signs of life, each with a look at what needs mending."""
ALONE = "local"
"""The one worker of a SQLite file."""
TRIES, PAUSE = 10, 1.0
"""How often a run that broke on something other than its job is taken up again."""


class Stopping(BaseException):
    """Ends a workflow without an outcome, so that the engine resumes it. No Exception: DBOS records those as final."""


@asynccontextmanager
async def working(settings: Settings, url: URL, database: Database, engine: Engine) -> AsyncIterator[None]:
    """Run pipelines meanwhile. What is at work when left is resumed by the next worker of the same name."""
    if settings.workers == 0:
        yield
        return
    async with named(settings, url) as worker_id, Children(settings.executor) as children:
        runner = Runner(database, children, settings, worker_id)
        tasks: set[concurrent.futures.Future[None]] = set()
        await asyncio.to_thread(_launch, settings, url, worker_id, runner, asyncio.get_running_loop(), tasks)
        mending = asyncio.create_task(_mend_forever(settings, database, engine, worker_id))
        try:
            yield
        finally:
            mending.cancel()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(mending, return_exceptions=True)
            await asyncio.to_thread(DBOS.destroy)


def _launch(
    settings: Settings,
    url: URL,
    worker_id: str,
    runner: Runner,
    loop: asyncio.AbstractEventLoop,
    tasks: set[concurrent.futures.Future[None]],
) -> None:
    """Start DBOS, whose threads hand each workflow to the event loop and wait for it there."""
    DBOS(config=configuration(url, worker_id))

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    def run_pipeline(pipeline_id: str) -> None:
        task = asyncio.run_coroutine_threadsafe(_persistently(runner.run, pipeline_id), loop)
        tasks.add(task)
        try:
            task.result()
        except concurrent.futures.CancelledError:
            raise Stopping from None
        finally:
            tasks.discard(task)

    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=settings.workers, polling_interval_sec=POLL)


async def _persistently(run: Any, pipeline_id: str) -> None:
    """Run a pipeline; again after a while when the database was away. A job that fails is no error here."""
    for left in range(TRIES - 1, -1, -1):
        try:
            await run(pipeline_id)
            return
        except Exception:
            log.exception("the run of %s broke", pipeline_id)
            if not left:
                raise
            await asyncio.sleep(PAUSE)


async def _mend_forever(settings: Settings, database: Database, engine: Engine, worker_id: str) -> None:
    while True:
        try:
            await _mend(database, engine)
            if worker_id != ALONE:
                await _say_alive(database, worker_id)
                await _take_over(settings, database, engine)
        except Exception:
            log.exception("mending failed; it is tried again")
        await asyncio.sleep(MEND)


async def _say_alive(database: Database, worker_id: str) -> None:
    async def work(session: Any) -> None:
        await session.merge(Worker(id=worker_id, heartbeat_at=now()))

    await database.write(work)


async def _mend(database: Database, engine: Engine) -> None:
    """Make the engine and the tables agree on what runs: queue what it does not know, end what it gave up."""
    query = select(Pipeline.id).where(AT_WORK, col(Pipeline.started_at) < now() - timedelta(seconds=MEND))
    async with database.read() as session:
        running = list(await session.exec(query.order_by(col(Pipeline.started_at)).limit(1000)))
    states = await engine.states(running) if running else {}
    for id in running:
        if id not in states:
            await engine.submit(id)
        elif states[id] in ENDED:
            await runs.fail(database, id, JobErrorCode.INTERNAL_ERROR, "The engine lost this run.")


async def _take_over(settings: Settings, database: Database, engine: Engine) -> None:
    """Give what silent workers had at work back to the queue."""
    silent = now() - timedelta(seconds=settings.worker_timeout)
    async with database.read() as session:
        alive = set(await session.exec(select(Worker.id).where(col(Worker.heartbeat_at) > silent)))
    dead = sorted(await engine.holders() - alive)
    if dead:
        log.warning("workers that are silent are taken over: %s", ", ".join(dead))
        await asyncio.to_thread(DBOS._recover_pending_workflows, dead)


@asynccontextmanager
async def named(settings: Settings, url: URL) -> AsyncIterator[str]:
    """A name for this worker that no other living one has, the same again after a restart.

    On PostgreSQL a lock on the name is held: the second worker of a machine finds the first name taken.
    """
    name = settings.worker_id or socket.gethostname()
    if url.drivername.startswith("sqlite"):
        yield ALONE
        return
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        connection = await stack.enter_async_context(engine.connect())
        for number in range(1, 1000):
            candidate = name if number == 1 else f"{name}-{number}"
            lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 7))")
            if (await connection.execute(lock, {"name": candidate})).scalar_one():
                yield candidate
                return
        raise RuntimeError(f"a thousand workers are named {name}")
