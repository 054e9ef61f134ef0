"""PostgreSQL as a kind of database."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.database.interface import Backend, Copied, Pools
from app.database.postgres.database import Postgres
from app.database.postgres.sql import PostgresSql

MIGRATION_LOCK = 0x766F6C74
"""Key of the advisory lock: servers that start at once on one PostgreSQL migrate it one after another."""


class PostgresBackend(Backend):
    """PostgreSQL through asyncpg: a server that many processes use."""

    sql = PostgresSql()
    schemes = ("postgresql", "postgres")
    example = "postgresql://…"

    def url(self, url: URL) -> URL:
        return _renamed(url, "sslmode", "ssl").set(drivername="postgresql+asyncpg")

    def open(self, url: URL, max_waiting: int, pools: Pools) -> Postgres:
        return Postgres(url, max_waiting, pools)

    def migration_engine(self, url: URL) -> AsyncEngine:
        return create_async_engine(url, poolclass=NullPool)

    def check_engine(self, url: URL) -> AsyncEngine:
        return self.migration_engine(url)

    def lock_migration(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})

    def compact(self, url: URL) -> None:
        """Do nothing: autovacuum makes the space of deleted rows available to new ones."""

    def back_up(self, url: URL, target: Path, copied: Copied) -> None:
        raise NotImplementedError("PostgreSQL has pg_dump for this.")


def _renamed(url: URL, old: str, new: str) -> URL:
    """Rename a parameter of a URL: asyncpg names libpq's `sslmode` differently."""
    return url.set(query={(new if name == old else name): value for name, value in url.query.items()})
