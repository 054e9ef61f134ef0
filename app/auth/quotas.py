"""Quota of concurrent WebSockets and subscriptions per API key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from app.auth.caller import Caller
from app.errors import RequestError, RequestErrorCode


def ignore(_: int) -> None:
    """Do nothing."""


class ConcurrencyQuota:
    """Concurrency quota: a maximum per API key; all callers without a key share one."""

    def __init__(self, most: int, kind: str, released: Callable[[int], None] = ignore) -> None:
        """Create a quota. `released` is called with the number in use after one is given back."""
        self._most, self._kind, self._released = most, kind, released
        self._held: Counter[str | None] = Counter()

    @property
    def held(self) -> int:
        """Number in use by all callers."""
        return self._held.total()

    def take(self, caller: Caller) -> None:
        """Take one. Raises TOO_MANY_OPEN if the caller's quota is used up."""
        if self._held[caller.key] >= self._most:
            message = f"An API key may have at most {self._most:,} {self._kind} at a time. Close some first."
            raise RequestError(RequestErrorCode.TOO_MANY_OPEN, message)
        self._held[caller.key] += 1

    def give_back(self, caller: Caller) -> None:
        """Give back one that was taken."""
        self._held[caller.key] -= 1
        if not self._held[caller.key]:
            del self._held[caller.key]
        self._released(self.held)
