"""SQLite connection for reads: in a transaction only while a snapshot is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from app.database.interface import LONGEST

Execute = Callable[[str, Sequence[Any]], apsw.Cursor]


class ReadConnection:
    """Connection that is outside of a transaction when a read begins, whatever errors earlier reads had.

    A transaction that stays open is an old snapshot: reads without a transaction of their own would be answered from
    it, and SQLite could not restart its write-ahead log. A connection that can neither commit nor roll back is
    replaced.
    """

    __slots__ = ("_connect", "_connection", "_is_closed", "_longest", "_recovered", "execute")

    execute: Execute
    _longest: int

    def __init__(self, connect: Callable[[], apsw.Connection], recovered: Callable[[object], None]) -> None:
        """`recovered` is called with the reason for each rollback or replacement."""
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
        """End the snapshot, if one is open. Never raises: the error of a read matters more than that of its end."""
        try:
            if not self._is_closed and self._connection.in_transaction:
                self.execute("COMMIT", ())
        except Exception as error:
            self._recover(error)

    def require_clean(self) -> None:
        """Roll back a transaction that was left open, and reopen a closed connection."""
        if not self._is_closed and self._connection.in_transaction:
            self._recover("a transaction was left open")
        if self._is_closed:
            self._open()

    def limit(self, longest: int) -> None:
        """Limit the bytes of each value that SQLite reads or creates."""
        if longest != self._longest:
            self._longest = longest
            self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, longest)

    def close(self) -> None:
        """Close the connection; SQLite then ends its transaction."""
        self._is_closed = True
        self._connection.close(True)

    def _open(self) -> None:
        self._connection = self._connect()
        # Without it, each run of a statement with LIMIT or json_each parses it again, to plan for the bound values.
        self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        self._is_closed = False
        self._longest = LONGEST
        self.execute = self._connection.cursor().execute

    def _recover(self, cause: object) -> None:
        """Roll back; if that fails, close the connection: the next read opens another one."""
        self._recovered(cause)
        try:
            if self._connection.in_transaction:
                self.execute("ROLLBACK", ())
        except Exception:
            self.close()
