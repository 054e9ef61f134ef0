"""Revocation of API keys: detected by polling while a connection is open and idle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Protocol

from app.auth.authenticator import Authenticator
from app.auth.caller import Caller
from app.errors import Busy

log = logging.getLogger("voltgraph")

PERIOD = 1.0
"""Seconds between two polls. A revoked key's connections end within two seconds."""


class Revocable(Protocol):
    """Connection or subscription of a caller."""

    def revoke(self) -> None:
        """End it, because the caller's key is no longer valid."""


class RevocationPoller:
    """Poller of the API keys with open connections or subscriptions: reads all keys at once and ends the connections of
    revoked ones. It does not poll while nothing is open."""

    def __init__(self, callers: Authenticator) -> None:
        self._callers = callers
        self._held: dict[Caller, set[Revocable]] = {}
        self._polling: asyncio.Task[None] | None = None

    @contextmanager
    def hold(self, caller: Caller, open: Revocable) -> Iterator[None]:
        """Revoke `open` once the caller's key is revoked, until the context exits."""
        self.add(caller, open)
        try:
            yield
        finally:
            self.remove(caller, open)

    def add(self, caller: Caller, open: Revocable) -> None:
        """Revoke `open` once the caller's key is revoked, until `remove` is called."""
        self._held.setdefault(caller, set()).add(open)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), context=Context())  # outside of the request

    def remove(self, caller: Caller, open: Revocable) -> None:
        """End what `add` began."""
        self._held[caller].remove(open)
        if not self._held[caller]:
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
                pass  # keys cannot be read now: no key counts as revoked
            except Exception:
                log.exception("polling for revoked API keys failed; it is retried")

    async def _end_revoked(self) -> None:
        for caller in await self._callers.revoked(list(self._held)):
            for open in list(self._held.get(caller, ())):
                open.revoke()
