"""SQLite connection for reads that is in a transaction only while a snapshot is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from app.database.interface import LONGEST

Execute = Callable[[str, Sequence[Any]], apsw.Cursor]


class ReadConnection:
    """Connection that each read finds in no transaction, whatever the read before it met with.

    A transaction that stays open is an old snapshot: reads without one of their own would be answered from it, and
    SQLite could not begin its log anew. Where it can be neither committed nor rolled back, the connection is replaced.
    """

    __slots__ = ("_connect", "_connection", "_is_closed", "_longest", "_recovered", "execute")

    execute: Execute
    _longest: int

    def __init__(self, connect: Callable[[], apsw.Connection], recovered: Callable[[object], None]) -> None:
        """`recovered` is told why the connection was rolled back or replaced."""
        self._connect, self._recovered = connect, recovered
        self._open()

    def begin(self) -> None:
        """Begin a snapshot."""
        self.require_clean()
        try:
            self.execute("BEGIN", ())
        except apsw.Error as error:
            self._recover(error)
            self.require_clean()
            self.execute("BEGIN", ())

    def end(self) -> None:
        """End the snapshot, if there is one. Never raises: the error of a read matters more than that of its end."""
        try:
            if not self._is_closed and self._connection.in_transaction:
                self.execute("COMMIT", ())
        except Exception as error:
            self._recover(error)

    def require_clean(self) -> None:
        """End a transaction that was left open, and open the connection where it was closed."""
        if not self._is_closed and self._connection.in_transaction:
            self._recover("a transaction was left open")
        if self._is_closed:
            self._open()

    def limit(self, longest: int) -> None:
        """Limit the bytes of each value that is read or made."""
        if longest != self._longest:
            self._longest = longest
            self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, longest)

    def close(self) -> None:
        """Close the connection, which ends its transaction in any case."""
        self._is_closed = True
        self._connection.close(True)

    def _open(self) -> None:
        self._connection = self._connect()
        self._is_closed = False
        self._longest = LONGEST
        self.execute = self._connection.cursor().execute

    def _recover(self, cause: object) -> None:
        """Roll back; where that fails, close: the next read opens another connection."""
        self._recovered(cause)
        try:
            if self._connection.in_transaction:
                self.execute("ROLLBACK", ())
        except Exception:
            self.close()
