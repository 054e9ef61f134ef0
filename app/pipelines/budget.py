"""Budget of one answer: limits on its bytes and on its work, counted while the answer is made.

The cost of an operation is estimated before it runs, from the usual lengths of lists. The budget counts the actual rows
and bytes.
"""

from __future__ import annotations

from typing import Any

import orjson

from app.errors import AnswerTooLarge, Problem, ProblemCode, Rejected

MOST_WORK = 1_000_000
"""Maximum units of work of one answer. A unit is about a quarter of a microsecond of CPU time."""
ROW, VALUE = 16, 2
"""Units of work per row that a plan reads, and per value that it returns."""
LOADED, OBJECT, RESOLVED, AWAITED = 200, 150, 25, 500
"""Units of work in GraphQL's executor: per row that the ORM loads, per object in a list, per field of such an object,
and per field that waits for the database."""
TOO_MUCH_WORK = "The answer has too many rows. Ask for fewer pipelines, elements, points or fields at a time."
PARSED = 5
"""Factor by which each byte of a result that is parsed is counted as bytes of the answer: parsing many short values
takes 16 ns per byte."""
MOST_COPIED = 32 * 2**20
"""Maximum bytes of configurations that one operation copies, if it copies more than one pipeline."""


class Budget:
    """Remaining bytes and work of one answer."""

    __slots__ = ("_most", "bytes", "copied", "refusal", "work")

    def __init__(self, most_bytes: int, most_work: int = MOST_WORK) -> None:
        self._most = self.bytes = most_bytes
        self.work = most_work
        self.copied = 0
        """Bytes of configurations that the operation has copied."""
        self.refusal: AnswerTooLarge | None = None
        """First error raised. GraphQL's executor turns it into field errors, which the answer does not contain."""

    def take_bytes(self, count: int) -> None:
        """Count bytes of the answer. Raises AnswerTooLarge if the limit is exceeded."""
        self.bytes -= count
        if self.bytes < 0:
            self._refuse(AnswerTooLarge.than(self._most))

    def require_bytes(self, count: int) -> None:
        """Raise AnswerTooLarge if fewer than `count` bytes are left; counts nothing."""
        if count > self.bytes:
            self._refuse(AnswerTooLarge.than(self._most))

    def take_work(self, units: int) -> None:
        """Count work. Raises AnswerTooLarge if the limit is exceeded."""
        self.work -= units
        if self.work < 0:
            self._refuse(AnswerTooLarge(TOO_MUCH_WORK))

    def take_copy(self, count: int) -> None:
        """Count bytes of a copied pipeline. Raises Rejected if the limit is exceeded, unless it is the first copy."""
        if self.copied and self.copied + count > MOST_COPIED:
            message = (
                f"This operation has copied {self.copied:,} bytes, and this pipeline has {count:,}; "
                f"{MOST_COPIED:,} are allowed together. Duplicate it by another operation."
            )
            raise Rejected(Problem(ProblemCode.INVALID, message, ("id",)))
        self.copied += count

    def encoded(self, value: Any) -> Any:
        """Return a JSON value for the answer, with its bytes counted unless it is a number. Raises AnswerTooLarge."""
        if isinstance(value, int | float):
            return value
        text = orjson.dumps(value)
        self.take_bytes(len(text))
        return orjson.Fragment(text)

    def rows(self, units: int) -> int:
        """Return how many rows of `units` units each the remaining work allows."""
        return max(self.work, 0) // units

    def copy(self) -> Budget:
        """Return a copy with the same counts, for work that may be restarted."""
        copied = Budget(self._most, self.work)
        copied.bytes = self.bytes
        return copied

    def settle(self, copied: Budget) -> None:
        """Take over the counts of a copy."""
        self.bytes, self.work = copied.bytes, copied.work

    def check(self) -> None:
        """Raise the AnswerTooLarge that was raised before, if any."""
        if self.refusal is not None:
            raise self.refusal

    def _refuse(self, error: AnswerTooLarge) -> None:
        self.refusal = self.refusal or error
        raise self.refusal


def size_of(value: str | bytes | None) -> int:
    """Return the size of a stored value in UTF-8, in bytes."""
    if value is None:
        return 0
    return len(value) if isinstance(value, bytes) or value.isascii() else len(value.encode())
