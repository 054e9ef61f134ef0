"""Files that only the user of the server reads and writes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MODE = 0o600


def create_private(file: str | Path) -> None:
    """Create an empty file with mode 0600. An existing file keeps its mode and is not opened: closing it would release
    the locks that SQLite holds on it in this process (https://www.sqlite.org/howtocorrupt.html, section 2.2).

    Call this before SQLite opens a database: its log, index and journal get the mode of the database file. If the
    file cannot be created, SQLite reports the error."""
    with suppress(OSError):
        # Behind a symbolic link: O_EXCL refuses the link itself, and SQLite would create what it points to.
        os.close(os.open(os.path.realpath(file), os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
