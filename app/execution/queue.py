"""Durable queue of runs, on DBOS: a file beside the database with SQLite, the schema `dbos` with PostgreSQL.

The queue holds control state only: a workflow's id is its pipeline's id, and its one argument is that id. The tables
hold the state of each run.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import event
from sqlalchemy.engine import URL

from app.auth.private_files import create_private
from app.database.connect import backend_of
from app.errors import SubmissionFailed
from app.models.sql import is_file

T = TypeVar("T")
log = logging.getLogger("voltgraph")

APPLICATION = "voltgraph"
QUEUE = "pipelines"
WORKFLOW = "run_pipeline"
VERSION = "1"
"""Application version for DBOS, pinned: a worker of a new release continues the workflows of an old one, because only
an id is passed."""
TRIES, PAUSE = 3, 0.2
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@event.listens_for(sqlalchemy.Engine, "connect")
def _know_subseconds(connection: Any, _: object) -> None:
    """Define `unixepoch` for old SQLite libraries: from Python 3.12 on, DBOS expects SQLite 3.42, whose `unixepoch`
    knows 'subsec'; an older system library would return NULL."""
    if isinstance(connection, sqlite3.Connection) and sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", -1, lambda *_: time.time())


def queue_url(url: URL) -> str:
    """Return the URL of DBOS's tables."""
    return backend_of(url).queue_url(url)


def create_queue_file(url: URL) -> None:
    """Create the queue's SQLite file, if it uses one, with mode 0600."""
    if is_file(url):
        create_private(queue_url(url).removeprefix("sqlite:///"))


def configuration(url: URL, worker_id: str) -> DBOSConfig:
    """Return DBOS's configuration for a worker."""
    create_queue_file(url)
    return {
        "name": APPLICATION,
        "system_database_url": queue_url(url),
        "executor_id": worker_id,
        "application_version": VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "use_listen_notify": False,
        "log_level": "WARNING",
        "enable_otlp": False,
    }


class RunQueue:
    """Client of the queue. Connects on first use."""

    def __init__(self, url: URL) -> None:
        self._database, self._url = url, queue_url(url)
        self._client: DBOSClient | None = None
        self._connecting = asyncio.Lock()

    async def submit(self, pipeline_id: str) -> None:
        """Enqueue a pipeline at most once. Raises SubmissionFailed after TRIES failed attempts."""
        options = {"workflow_name": WORKFLOW, "queue_name": QUEUE, "workflow_id": pipeline_id, "app_version": VERSION}

        def enqueue(client: DBOSClient) -> None:
            client.enqueue(options, pipeline_id)  # type: ignore[arg-type]

        for left in range(TRIES - 1, -1, -1):
            try:
                await self._call(enqueue)
                return
            except Exception as error:
                log.warning("the queue did not take %s: %s", pipeline_id, type(error).__name__)
                if not left:
                    raise SubmissionFailed("The queue could not take the pipeline.") from error
                await asyncio.sleep(PAUSE)

    async def cancel(self, pipeline_id: str) -> None:
        """Remove a pipeline from the queue. A running one notices the cancellation by itself."""
        try:
            await self._call(lambda client: client.cancel_workflow(pipeline_id))
        except Exception as error:
            log.warning("the queue did not cancel %s: %s", pipeline_id, type(error).__name__)

    async def states(self, pipeline_ids: list[str]) -> dict[str, str]:
        """Return DBOS's status of each known workflow, by pipeline id."""
        found = await self._call(
            lambda client: client.list_workflows(workflow_ids=pipeline_ids, load_input=False, load_output=False)
        )
        return {workflow.workflow_id: workflow.status for workflow in found}

    async def holders(self) -> set[str]:
        """Return the workers that DBOS considers to be running workflows."""
        found = await self._call(
            lambda client: client.list_workflows(status="PENDING", load_input=False, load_output=False)
        )
        return {workflow.executor_id for workflow in found if workflow.executor_id}

    async def requeue(self, worker_ids: list[str]) -> None:
        """Return the workflows of workers that ended to the queue. One process at a time may call this: a workflow that
        another worker took after the list was read would be returned too."""

        def resume(client: DBOSClient) -> None:
            found = client.list_workflows(status="PENDING", executor_id=worker_ids, load_input=False, load_output=False)
            client.resume_workflows([workflow.workflow_id for workflow in found], queue_name=QUEUE)

        await self._call(resume)

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)

    async def _call(self, work: Callable[[DBOSClient], T]) -> T:
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
        return await asyncio.to_thread(work, self._client)

    def _connect(self) -> DBOSClient:
        create_queue_file(self._database)
        DBOS.migrate(self._url)
        return DBOSClient(
            system_database_url=self._url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )


@asynccontextmanager
async def open_queue(url: URL) -> AsyncIterator[RunQueue]:
    """Open the queue of the database at `url`; close it on exit."""
    engine = RunQueue(url)
    try:
        yield engine
    finally:
        await engine.close()
