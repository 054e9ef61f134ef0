"""Backup of a SQLite database: a consistent copy with mode 0600, taken while a server may be writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from app.auth.keys import keys_url
from app.auth.private_files import create_private
from app.database.interface import Copied

PAGES = 4_096
"""Pages copied between two reports."""


def back_up(url: URL, target: Path, copied: Copied) -> None:
    """Copy the database at `url` and its keys to `target` and the file beside it. Raises FileExistsError if one
    exists."""
    sources = {Path(str(url.database)): target, Path(str(keys_url(url).database)): Path(f"{target}.keys")}
    for copy in sources.values():
        if copy.exists():
            raise FileExistsError(copy)
    for source, copy in sources.items():
        if source.exists():
            _copy(source, copy, copied)


def _copy(source: Path, target: Path, copied: Copied) -> None:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    create_private(part)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            # An open read transaction keeps its snapshot, however long the copy takes.
            old.execute("BEGIN")
            old.execute("SELECT 1 FROM sqlite_master").fetchone()
            old.backup(new, pages=PAGES, progress=lambda _, left, total: copied(left, total))
            new.execute("PRAGMA journal_mode=DELETE")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.rename(target)
