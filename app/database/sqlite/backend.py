"""SQLite as a kind of database."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.database.interface import Backend, Copied, Pools
from app.database.sqlite import backup, driver, vacuum
from app.database.sqlite.database import Sqlite
from app.database.sqlite.sql import SqliteSql
from app.errors import WrongUrl


class SqliteBackend(Backend):
    """SQLite through APSW: one file, one process that writes it."""

    sql = SqliteSql()
    schemes = ("sqlite",)
    example = "sqlite:///…"

    def url(self, url: URL) -> URL:
        if url.database in (None, "", ":memory:"):
            raise WrongUrl("SQLite needs a file: sqlite:///FILE")
        return url.set(drivername="sqlite+aiosqlite")

    def open(self, url: URL, max_waiting: int, pools: Pools) -> Sqlite:
        _remove_old_queue(str(url.database))
        return Sqlite(url, max_waiting)

    def migration_engine(self, url: URL) -> AsyncEngine:
        engine = self.check_engine(url)
        event.listen(engine.sync_engine, "connect", _set_vacuum_mode)
        # SQLAlchemy begins none here; half a migration would prevent every start.
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def check_engine(self, url: URL) -> AsyncEngine:
        return create_async_engine(url, poolclass=NullPool, connect_args={"async_creator_fn": driver.connection})

    def lock_migration(self, connection: Connection) -> None:
        """Do nothing: the transaction has the lock of the file."""

    def compact(self, url: URL) -> None:
        vacuum.compact(str(url.database))

    def back_up(self, url: URL, target: Path, copied: Copied) -> None:
        backup.back_up(url, target, copied)


def _set_vacuum_mode(connection: Any, _: object) -> None:
    connection.cursor().execute(vacuum.MODE)


def _remove_old_queue(file: str) -> None:
    """Remove the file of the queue of earlier versions. The tables hold all that it held."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):  # it does not exist, or it stays
            os.unlink(f"{file}.engine{suffix}")
