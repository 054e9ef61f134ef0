"""Migrations of the tables (Alembic), for all databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from app.database.connect import backend_of


async def migrate(url: URL, revision: str = "head") -> None:
    """Migrate the database at `url` to `revision`, in one transaction."""
    engine = backend_of(url).migration_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, revision)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate the database of an open connection to `revision`."""
    backend_of(connection.engine.url).lock_migration(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent))
    command.upgrade(config, revision)
