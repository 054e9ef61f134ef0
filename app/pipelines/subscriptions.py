"""Feed of pipeline changes: states of one pipeline, or changes to all pipelines that match a filter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial

from app.auth.authenticator import revoked
from app.auth.caller import Caller
from app.auth.revocation import RevocationPoller
from app.database.availability import retry_until_available
from app.database.broker import Subscriber, Wants, anything
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.models.tables import JobLogLine, Pipeline
from app.pipelines import repository
from app.pipelines.budget import Budget
from app.pipelines.filters import PipelineFilter

AT_ONCE = 50
"""Maximum number of changed pipelines that a subscription reads at once."""
READ_TOGETHER = 500
LOG_BYTES = 64 * 2**20
"""Maximum bytes of the lines of a log that are read at once; their number and their length bound them too."""


class Feed:
    """Subscriptions to pipelines. While nothing changes, a subscription holds no connection and sends no query."""

    def __init__(self, database: Database, revocations: RevocationPoller) -> None:
        self._database, self._revocations = database, revocations
        self._wanted: dict[Caller, dict[str, asyncio.Future[Pipeline | None]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def states(self, caller: Caller, id: str) -> AsyncGenerator[Pipeline, None]:
        """Yield a pipeline, then its newest state after changes, until it is terminal or deleted. Raises NOT_FOUND."""
        # Subscribe before the first read, so that no change between two reads is missed.
        with self._subscribed(caller, id) as changes:
            await self._database.listen()
            told = None
            while True:
                [pipeline] = await (self._newest(caller, [id]) if told is None else self._later(caller, [id]))
                if pipeline is None and told is None:
                    raise RequestError(RequestErrorCode.NOT_FOUND, "The pipeline does not exist.")
                if pipeline is None:
                    return
                state = pipeline.updated_at, pipeline.status
                if told is None or (state != told and state[0] >= told[0]):
                    told = state
                    yield pipeline
                if told[1].is_terminal:
                    return
                del pipeline  # free the row while waiting
                await changes.take(1)

    async def changes(
        self, caller: Caller, filter: PipelineFilter
    ) -> AsyncGenerator[tuple[str, Pipeline | None], None]:
        """Yield the id of each changed pipeline that matches the filter, or matched before the change, with its newest
        state, or None if it was deleted. Changes in quick succession are merged. Raises FORBIDDEN for a project that
        the caller may not use, and Busy if too many changes are pending."""
        caller.ask_for(filter.project_id)
        with self._subscribed(caller, wants=filter.concerns) as changes:
            await self._database.listen()
            while True:
                ids = await changes.take(AT_ONCE)
                for id, pipeline in zip(ids, await self._later(caller, ids), strict=True):
                    yield id, pipeline
                pipeline = None  # free the row while waiting

    async def log(self, caller: Caller, job_id: str, after: int) -> AsyncGenerator[list[JobLogLine], None]:
        """Yield the lines of the log of a job after a number, then further lines as they are stored, until the job has
        ended or is deleted. Raises NOT_FOUND, and BAD_USER_INPUT for a negative number."""
        repository.checked_lines(after, 1)
        element = await repository.element_of_job(self._database, caller, job_id)
        if element is None:
            raise RequestError(RequestErrorCode.NOT_FOUND, "The job does not exist.")
        async with aclosing(self.states(caller, element.pipeline_id)) as states:
            async for _ in states:
                newest = await retry_until_available(partial(repository.element_of_job, self._database, caller, job_id))
                while lines := await self._lines(caller, element.id, after):
                    after = lines[-1].number
                    yield lines
                if newest is None or newest.status.is_terminal:  # read before the lines: none comes later
                    return

    async def _lines(self, caller: Caller, element_id: str, after: int) -> list[JobLogLine]:
        """Load the next lines of a log."""

        async def read() -> list[list[JobLogLine]]:
            most, budget = repository.DEFAULT_LINES, Budget(LOG_BYTES)
            return await repository.log_lines(self._database, caller, after, most, [element_id], budget=budget)

        [lines] = await retry_until_available(read)
        return lines

    @contextmanager
    def _subscribed(self, caller: Caller, id: str | None = None, wants: Wants = anything) -> Iterator[Subscriber]:
        """Subscribe to the broker; end with UNAUTHENTICATED when the caller's key is revoked."""
        with (
            self._database.broker.subscribe(caller, id, wants) as changes,
            self._revocations.hold(caller, lambda: changes.fail(revoked())),
        ):
            yield changes

    async def _later(self, caller: Caller, ids: list[str]) -> list[Pipeline | None]:
        """Load the newest states; retry while the database is unavailable, so that a running subscription survives an
        outage."""
        return await retry_until_available(partial(self._newest, caller, ids))

    async def _newest(self, caller: Caller, ids: list[str]) -> list[Pipeline | None]:
        """Load rows by id; None if missing. All calls of one caller in one event-loop turn share one query."""
        wanted = self._wanted.get(caller)
        if wanted is None:
            wanted = self._wanted[caller] = {}
            task = asyncio.create_task(self._read(caller))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        loop = asyncio.get_running_loop()
        futures = [wanted.setdefault(id, loop.create_future()) for id in ids]
        return [await asyncio.shield(future) for future in futures]

    async def _read(self, caller: Caller) -> None:
        await asyncio.sleep(0)  # wait until all subscribers woken in this turn have asked
        wanted = self._wanted.pop(caller)
        try:
            ids = list(wanted)
            found: dict[str, Pipeline] = {}
            for start in range(0, len(ids), READ_TOGETHER):
                found |= await repository.pipelines(self._database, caller, ids[start : start + READ_TOGETHER])
        except Exception as error:
            for future in wanted.values():
                future.set_exception(error)
                future.exception()  # mark it as retrieved: the subscriber may have left
        else:
            for id, future in wanted.items():
                future.set_result(found.get(id))
