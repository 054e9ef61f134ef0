"""Subscriptions to measurements."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial

from app.auth.caller import Caller
from app.auth.revocation import RevocationPoller
from app.database.availability import retry_until_available
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.measurements import repository
from app.models.measurements import Measurement


class MeasurementFeed:
    """States of measurements, for subscribers of both APIs."""

    def __init__(self, database: Database, revocations: RevocationPoller) -> None:
        self._database, self._revocations = database, revocations

    async def states(self, caller: Caller, id: str) -> AsyncGenerator[Measurement, None]:
        """Yield the current state of a measurement, then its newest state after changes; end after a terminal state, or
        when it is deleted. Raises NOT_FOUND."""
        with self._database.broker.subscribe(caller, id) as changes, self._revocations.hold(caller, changes):
            await self._database.listen()
            told = None
            while True:
                read = partial(repository.measurement, self._database, caller, id)
                found = await (read() if told is None else retry_until_available(read))
                if found is None and told is None:
                    raise RequestError(RequestErrorCode.NOT_FOUND, "The measurement does not exist.")
                if found is None:
                    return
                if told is None or found.updated_at > told:
                    told = found.updated_at
                    yield found
                if found.is_terminal:
                    return
                await changes.take(1)
