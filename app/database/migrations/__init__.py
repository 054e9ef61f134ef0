"""Migrations of the tables (Alembic), for both databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.database.sqlite import driver

MIGRATION_LOCK = 0x766F6C74
"""Key of the advisory lock: servers that start at once on one PostgreSQL migrate it one after another."""


async def migrate(url: URL, revision: str = "head") -> None:
    """Migrate the database at `url` to `revision`, in one transaction."""
    sqlite = url.drivername.startswith("sqlite")
    more = {"connect_args": {"async_creator_fn": driver.connection}} if sqlite else {}
    engine = create_async_engine(url, poolclass=NullPool, **more)
    if sqlite:  # SQLAlchemy begins none here; half a migration would prevent every start
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, revision)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate the database of an open connection to `revision`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    command.upgrade(config, revision)
