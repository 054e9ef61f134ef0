"""Space of deleted rows, given back to the file system: by incremental vacuum in steps, or by VACUUM as a whole.

A new file is created for incremental vacuum. A file of earlier versions is not: its free pages are reused, and `prune`
rewrites it once. VACUUM locks the file for the time of a copy, so that it is no work for a running server.
"""

from __future__ import annotations

from contextlib import closing

import apsw
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.sqlite import driver

MODE = "PRAGMA auto_vacuum=INCREMENTAL"
"""Statement that takes effect on an empty file, and on another one with the next VACUUM."""
PAGES = 256
"""Pages of one step, 1 MB: about 3 ms."""

INDEXES = ("pipeline_search", "pipeline_search_description")
"""Full-text indexes. FTS5 keeps the terms of deleted rows until it merges them."""


async def step(session: AsyncSession) -> int:
    """Give back up to PAGES free pages; return the number of pages that are left to give back, 0 for a file without
    incremental vacuum."""
    connection = await session.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    left: int = await driver.run_in_thread(raw, _step, driver.raw(raw).own)
    return left


def _step(connection: apsw.Connection) -> int:
    if connection.pragma("auto_vacuum") != 2:
        return 0
    for _ in connection.execute(f"PRAGMA incremental_vacuum({PAGES})"):
        pass  # each row is a page
    left: int = connection.pragma("freelist_count")
    return left


def compact(file: str) -> None:
    """Rewrite a file that no other process has open."""
    with closing(driver.connect(file)) as connection:
        connection.execute("INSERT INTO pipeline_search_old (number) VALUES (0)")  # a trigger removes listed texts
        for index in INDEXES:
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
        connection.execute(MODE)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
