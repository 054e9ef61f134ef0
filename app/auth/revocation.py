"""Revocation of API keys, noticed while a connection is open and nothing is asked over it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context

from app.auth.authenticator import Authenticator
from app.auth.caller import Caller
from app.errors import Busy

log = logging.getLogger("voltgraph")

PERIOD = 1.0
"""Seconds between two polls. A revoked key ends what it holds open within two."""
End = Callable[[], None]


class RevocationPoller:
    """Polls the API keys that hold something open, all in one read, and ends what a revoked one holds. While nothing is
    held open it does not poll."""

    def __init__(self, callers: Authenticator) -> None:
        self._callers = callers
        self._held: dict[Caller, dict[object, End]] = {}
        self._polling: asyncio.Task[None] | None = None

    @contextmanager
    def hold(self, caller: Caller, end: End) -> Iterator[None]:
        """Call `end` once the caller's key is revoked, unless this was left before."""
        token, ends = object(), self._held.setdefault(caller, {})
        ends[token] = end
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), context=Context())  # outside of a request
        try:
            yield
        finally:
            del ends[token]
            if not ends and self._held.get(caller) is ends:
                del self._held[caller]

    async def aclose(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    async def _poll(self) -> None:
        while self._held:
            await asyncio.sleep(PERIOD)
            try:
                await self._end_revoked()
            except Busy:
                pass  # keys cannot be read now: nobody is taken for revoked
            except Exception:
                log.exception("polling for revoked API keys failed; it is tried again")

    async def _end_revoked(self) -> None:
        for caller in await self._callers.revoked(list(self._held)):
            for end in list(self._held.get(caller, {}).values()):
                end()
