"""Budget of one answer: the bytes that it may have and the work that it may take, counted while it is made.

The cost of an operation is estimated before it runs, by the usual lengths of lists. The budget counts the rows and
bytes that are there.
"""

from __future__ import annotations

from app.errors import AnswerTooLarge

MOST_WORK = 1_000_000
"""Units that one answer may take. A unit is about a quarter of a microsecond of CPU time."""
ROW, VALUE = 16, 2
"""Units of a row that a plan reads, and of each value that it shows."""
LOADED, OBJECT, RESOLVED, AWAITED = 200, 150, 25, 500
"""Units, where GraphQL's executor answers, of a row that the ORM loads, of an object in a list, of each of its fields,
and of each field that waits for the database."""
TOO_MUCH_WORK = "The answer has too many rows. Ask for fewer pipelines, elements, points or fields at a time."
PARSED = 3
"""Bytes of the answer that each byte counts for of a result that is parsed."""


class Budget:
    """Bytes and work that are left of one answer."""

    __slots__ = ("_most", "bytes", "refusal", "work")

    def __init__(self, most_bytes: int, most_work: int = MOST_WORK) -> None:
        self._most = self.bytes = most_bytes
        self.work = most_work
        self.refusal: AnswerTooLarge | None = None
        """The first error that was raised. GraphQL's executor makes field errors of it; the answer has none of them."""

    def take_bytes(self, count: int) -> None:
        """Count bytes of the answer. AnswerTooLarge when too few are left."""
        self.bytes -= count
        if self.bytes < 0:
            self._refuse(AnswerTooLarge.than(self._most))

    def require_bytes(self, count: int) -> None:
        """AnswerTooLarge when fewer bytes are left than these, which are not counted yet."""
        if count > self.bytes:
            self._refuse(AnswerTooLarge.than(self._most))

    def take_work(self, units: int) -> None:
        """Count work. AnswerTooLarge when too little is left."""
        self.work -= units
        if self.work < 0:
            self._refuse(AnswerTooLarge(TOO_MUCH_WORK))

    def rows(self, units: int) -> int:
        """Rows of so many units each that the work allows still."""
        return max(self.work, 0) // units

    def copy(self) -> Budget:
        """The same for work that may be begun anew."""
        copied = Budget(self._most, self.work)
        copied.bytes = self.bytes
        return copied

    def settle(self, copied: Budget) -> None:
        """Count what was counted by a copy."""
        self.bytes, self.work = copied.bytes, copied.work

    def check(self) -> None:
        """AnswerTooLarge where it was raised before."""
        if self.refusal is not None:
            raise self.refusal

    def _refuse(self, error: AnswerTooLarge) -> None:
        self.refusal = self.refusal or error
        raise self.refusal


def size_of(value: str | bytes | None) -> int:
    """Bytes that a stored value has in UTF-8."""
    if value is None:
        return 0
    return len(value) if isinstance(value, bytes) or value.isascii() else len(value.encode())
