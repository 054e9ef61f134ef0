"""SQLite as a kind of database."""

from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.database.interface import Backend
from app.database.sqlite import backup, driver
from app.database.sqlite.database import Sqlite
from app.database.sqlite.sql import SqliteSql


class SqliteBackend(Backend):
    """SQLite through APSW: one file, one process that writes it."""

    sql = SqliteSql()
    schemes = ("sqlite",)
    example = "sqlite:///…"

    def url(self, url: URL) -> URL:
        if url.database in (None, "", ":memory:"):
            raise ValueError("SQLite needs a file: sqlite:///FILE")
        return url.set(drivername="sqlite+aiosqlite")

    def open(self, url: URL, max_waiting: int) -> Sqlite:
        return Sqlite(url, max_waiting)

    def migration_engine(self, url: URL) -> AsyncEngine:
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"async_creator_fn": driver.connection})
        # SQLAlchemy begins none here; half a migration would prevent every start.
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def lock_migration(self, connection: Connection) -> None:
        """Do nothing: the transaction has the lock of the file."""

    def back_up(self, url: URL, target: Path) -> None:
        backup.back_up(url, target)
