"""Checkpoints of the write-ahead log beside the writer. SQLite's own would run inside somebody's commit, and copy the
whole log there.

A thread copies the log into the file over a connection of its own, while the writer appends. The commit after it
copies the little that was appended meanwhile: only then does the next transaction begin the log anew.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from threading import Thread

import apsw

PAGES = 4_000
"""Pages of the log, 16 MB, after which it is copied. SQLite's default of 1,000 is full after 50 ms of creates, and a
checkpoint copies frequently written pages again each time."""
PASSES = 3
"""Copies in a row. SQLite flushes the file only in a copy during which nothing was appended; the writer must not be the
one to flush 16 MB."""
FURTHER = 1_000
"""Pages after which it is copied again, if a reader kept the log from beginning anew."""


class Checkpoints:
    """Checkpoints of one file."""

    def __init__(self, connect: Callable[[], apsw.Connection]) -> None:
        self._connect = connect
        self._copying: Thread | None = None
        self._due = PAGES

    def watch(self, writer: apsw.Connection) -> None:
        """Take the place of SQLite's own checkpoints for a connection."""
        writer.set_wal_hook(self._committed)

    def close(self) -> None:
        """Wait for the end of a checkpoint."""
        if self._copying is not None:
            self._copying.join()

    def _committed(self, writer: apsw.Connection, schema: str, pages: int) -> int:
        """Continue after a commit, in the writer's thread. No failure reaches the commit: a later one tries again."""
        if self._copying is None:
            self._due = max(PAGES, min(self._due, pages + FURTHER))
            if pages >= self._due:
                self._copying = Thread(target=self._copy, name="checkpoint", daemon=True)
                self._copying.start()
        elif not self._copying.is_alive():
            self._copying, self._due = None, pages + FURTHER
            with suppress(apsw.Error):
                writer.wal_checkpoint(schema, apsw.SQLITE_CHECKPOINT_PASSIVE)
        return apsw.SQLITE_OK

    def _copy(self) -> None:
        with suppress(apsw.Error), closing(self._connect()) as connection:
            connection.execute("PRAGMA schema_version").fetchall()  # a connection that read nothing copies nothing
            for _ in range(PASSES):
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
