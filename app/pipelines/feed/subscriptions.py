"""Feed of pipeline changes: states of one pipeline, or changes to all pipelines that match a filter."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from functools import partial

from app.auth.caller import Caller
from app.auth.revocation import RevocationPoller
from app.database.availability import retry_until_available
from app.database.broker import Subscriber, anything
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.models.tables import JobLogLine
from app.pipelines import repository
from app.pipelines.budget import Budget
from app.pipelines.feed.kinds import Changed, Kind, Kinds
from app.pipelines.feed.readings import Event, Reading, Readings
from app.pipelines.lists.filters import PipelineFilter

NOT_TOLD = "A subscription cannot filter by {}: changes do not tell it. Filter by other fields, or read the list again."
AT_ONCE = 50
"""Maximum number of changed pipelines that a subscription reads at once."""
LOG_BYTES = 64 * 2**20
"""Maximum bytes of the lines of a log that are read at once; their number and their length bound them too."""


class Feed:
    """Subscriptions to pipelines. While nothing changes, a subscription holds no connection and sends no query."""

    def __init__(self, database: Database, revocations: RevocationPoller) -> None:
        self.database = database.limited()
        """Database for the reads of all subscriptions, which leave connections to others."""
        self._revocations = revocations
        self._readings = Readings(self.database)

    async def states(self, caller: Caller, id: str) -> AsyncGenerator[Event, None]:
        """Yield a pipeline, then its newest state after changes, until it is terminal or deleted. Raises NOT_FOUND."""
        rights, changes = caller.rights(), Subscriber(caller, anything)
        # Subscribe before the first read, so that no change between two reads is missed.
        self._subscribe(caller, changes, id, rights)
        try:
            await self.database.listen()
            [reading] = await self._readings.load(rights, [id], fresh=True)
            if reading.pipeline is None:
                raise RequestError(RequestErrorCode.NOT_FOUND, "The pipeline does not exist.")
            told = None
            while reading.pipeline is not None:
                state = reading.pipeline.updated_at, reading.pipeline.status
                if told is None or (state != told and state[0] >= told[0]):
                    told = state
                    yield Event(reading.pipeline, reading)
                if told[1].is_terminal:
                    return
                del reading  # free the row while waiting
                await changes.take(1)
                [reading] = await self._newest(rights, [id])
        finally:
            self._unsubscribe(caller, changes, id, rights)

    async def changes(self, caller: Caller, filter: PipelineFilter) -> AsyncGenerator[Event, None]:
        """Yield each changed pipeline that matches the filter, or matched before the change. Changes in quick
        succession are merged, and none is yielded for those that leave it outside of the filter. Raises FORBIDDEN for a
        project that the caller may not use, BAD_USER_INPUT for a field that changes do not tell, and Busy if too many
        changes are pending."""
        for project_id in filter.project_ids:
            caller.ask_for(project_id)
        if fields := sorted(set(filter.undecidable())):
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, NOT_TOLD.format(" and ".join(f"`{f}`" for f in fields)))
        rights, changes, kinds = caller.rights(), Subscriber(caller, filter.match), Kinds(self.database, filter)
        self._subscribe(caller, changes, None, (rights, filter))
        try:
            await self.database.listen()
            while True:
                taken = await changes.take(AT_ONCE)
                readings = await self._newest(rights, list(taken))
                for (id, match), reading in zip(taken.items(), readings, strict=True):
                    kind = await kinds.of(id, match, reading)
                    if kind is not None:
                        newest = None if kind is Kind.DELETED else reading.pipeline
                        yield Event(Changed(id, kind, newest), reading, kind)
                del readings, reading  # free the rows while waiting
        finally:
            self._unsubscribe(caller, changes, None, (rights, filter))

    async def log(self, caller: Caller, job_id: str, after: int) -> AsyncGenerator[list[JobLogLine], None]:
        """Yield the lines of the log of a job after a number, then further lines as they are stored, until the job has
        ended or is deleted. Raises NOT_FOUND, and BAD_USER_INPUT for a negative number."""
        repository.checked_lines(after, 1)
        element = await repository.element_of_job(self.database, caller, job_id)
        if element is None:
            raise RequestError(RequestErrorCode.NOT_FOUND, "The job does not exist.")
        async with aclosing(self.states(caller, element.pipeline_id)) as states:
            async for _ in states:
                newest = await retry_until_available(partial(repository.element_of_job, self.database, caller, job_id))
                while lines := await self._lines(caller, element.id, after):
                    after = lines[-1].number
                    yield lines
                if newest is None or newest.status.is_terminal:  # read before the lines: none comes later
                    return

    async def _lines(self, caller: Caller, element_id: str, after: int) -> list[JobLogLine]:
        """Load the next lines of a log."""

        async def read() -> list[list[JobLogLine]]:
            most, budget = repository.DEFAULT_LINES, Budget(LOG_BYTES)
            return await repository.log_lines(self.database, caller, after, most, [element_id], budget=budget)

        [lines] = await retry_until_available(read)
        return lines

    def _subscribe(self, caller: Caller, changes: Subscriber, id: str | None, kind: Hashable) -> None:
        """Add a subscriber to the broker; it ends with UNAUTHENTICATED when the caller's key is revoked."""
        self.database.broker.add(changes, id, kind)
        self._revocations.add(caller, changes)

    def _unsubscribe(self, caller: Caller, changes: Subscriber, id: str | None, kind: Hashable) -> None:
        self._revocations.remove(caller, changes)
        self.database.broker.remove(changes, id, kind)

    async def _newest(self, rights: Caller, ids: list[str]) -> list[Reading]:
        """Load the newest states; retry while the database is unavailable, so that a running subscription survives an
        outage."""
        return await retry_until_available(partial(self._readings.load, rights, ids))
