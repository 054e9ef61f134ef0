"""Quota on the memory of request bodies: total bytes of all bodies that are received, decompressed or queued."""

from __future__ import annotations

from threading import Lock
from types import TracebackType

from app.errors import RequestError, RequestErrorCode

FULL = "The bodies of other requests use up the server's memory quota. Try again."


class BodyQuota:
    """Quota on the total bytes of all request bodies in memory."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._short = most, 0, 0
        self._lock = Lock()  # bodies are decompressed in threads

    @property
    def held(self) -> int:
        """Bytes in use."""
        return self._held + self._short

    def take(self, size: int) -> None:
        """Count a complete body without a Holding and without the lock: call only from the event loop's thread. Raises
        RequestError with BUSY, and counts nothing, if the quota is used up."""
        if self._held + self._short + size > self._most:
            raise RequestError(RequestErrorCode.BUSY, FULL)
        self._short += size

    def give_back(self, size: int) -> None:
        """Release bytes counted by `take`."""
        self._short -= size

    def hold(self) -> Holding:
        """Return a share of the quota, empty at first; a context manager that releases the share on exit."""
        return Holding(self)

    def change(self, holding: Holding, size: int) -> None:
        """Set the size of a share; 0 if its request has ended. Raises RequestError with BUSY, and changes nothing, if
        the quota is used up."""
        with self._lock:
            more = (0 if holding.is_over else size) - holding.size
            if more > 0 and self.held + more > self._most:
                raise RequestError(RequestErrorCode.BUSY, FULL)
            self._held += more
            holding.size += more


class Holding:
    """Share of one request in the quota."""

    __slots__ = ("_quota", "is_over", "size")

    def __init__(self, quota: BodyQuota) -> None:
        self._quota, self.size = quota, 0
        self.is_over = False
        """Whether the request has ended: a thread that still works for it can stop."""

    def add(self, size: int) -> None:
        """Add bytes to the share. Raises RequestError with BUSY if the quota is used up."""
        self._quota.change(self, self.size + size)

    def release(self) -> None:
        """Release all bytes; the share can be used again."""
        self._quota.change(self, 0)

    def close(self) -> None:
        """Release all bytes; the share cannot be used again."""
        self.is_over = True
        self._quota.change(self, 0)

    def hand_over(self) -> Holding:
        """Move the bytes of this share to a new one, and return that."""
        other = self._quota.hold()
        other.size, self.size = self.size, 0
        return other

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
