"""What one API key may hold open at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.callers import Caller
from app.errors import RequestError, RequestErrorCode


class Slots:
    """Slots of one kind: so many for each API key, and as many for all who come without one together."""

    def __init__(self, most: int, kind: str) -> None:
        self._most, self._kind = most, kind
        self._held: Counter[str | None] = Counter()

    @property
    def held(self) -> int:
        """How many are held, by whomever."""
        return self._held.total()

    @contextmanager
    def hold(self, caller: Caller) -> Iterator[None]:
        """Hold one until left. RequestError with TOO_MANY_OPEN when the caller holds as many as it may."""
        if self._held[caller.key] >= self._most:
            message = f"An API key may have at most {self._most:,} {self._kind} at a time. Close some first."
            raise RequestError(RequestErrorCode.TOO_MANY_OPEN, message)
        self._held[caller.key] += 1
        try:
            yield
        finally:
            self._held[caller.key] -= 1
            if not self._held[caller.key]:
                del self._held[caller.key]
