"""Feed of pipeline changes: states of one pipeline, or changes to all pipelines that match a filter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from functools import partial

from app.auth.authenticator import revoked
from app.auth.caller import Caller
from app.auth.revocation import RevocationPoller
from app.database.availability import retry_until_available
from app.database.broker import Subscriber, Wants, anything
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.models.tables import Pipeline
from app.pipelines import repository
from app.pipelines.filters import PipelineFilter

AT_ONCE = 50
"""Maximum number of changed pipelines that a subscription reads at once."""
READ_TOGETHER = 500


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
