"""Quota on the bytes of request bodies that all requests hold together: received, unpacked, waiting for a thread."""

from __future__ import annotations

from threading import Lock
from types import TracebackType

from app.errors import RequestError, RequestErrorCode

FULL = "Other requests hold as many bytes of bodies as the server takes at a time. Try again."


class BodyQuota:
    """Bytes that the bodies of all requests may have in memory at a time."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._short = most, 0, 0
        self._lock = Lock()  # bodies are unpacked by threads

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held + self._short

    def take(self, size: int) -> None:
        """Count a body that arrived complete, without a share and a lock: call it in the event loop's thread only.
        Raises RequestError with BUSY, and counts nothing, if the quota is used up."""
        if self.held + size > self._most:
            raise RequestError(RequestErrorCode.BUSY, FULL)
        self._short += size

    def give_back(self, size: int) -> None:
        """Return what `take` counted."""
        self._short -= size

    def hold(self) -> Holding:
        """A share of the quota, empty at first. It is given back when left."""
        return Holding(self)

    def change(self, holding: Holding, size: int) -> None:
        """Have a share hold so many bytes; none where its request has ended. RequestError with BUSY, and no change,
        where that is too many."""
        with self._lock:
            more = (0 if holding.is_over else size) - holding.size
            if more > 0 and self.held + more > self._most:
                raise RequestError(RequestErrorCode.BUSY, FULL)
            self._held += more
            holding.size += more


class Holding:
    """The share of one request."""

    __slots__ = ("_quota", "is_over", "size")

    def __init__(self, quota: BodyQuota) -> None:
        self._quota, self.size = quota, 0
        self.is_over = False
        """Whether the request has ended: a thread that is at work for it need not go on."""

    def add(self, size: int) -> None:
        """Hold so many bytes more. RequestError with BUSY where that is too many."""
        self._quota.change(self, self.size + size)

    def release(self) -> None:
        """Give back what is held so far."""
        self._quota.change(self, 0)

    def close(self) -> None:
        """Give back all, for good."""
        self.is_over = True
        self._quota.change(self, 0)

    def hand_over(self) -> Holding:
        """A share that holds what this one held."""
        other = self._quota.hold()
        other.size, self.size = self.size, 0
        return other

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
