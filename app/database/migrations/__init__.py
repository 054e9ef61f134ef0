"""Migrations of the tables (Alembic), for all databases."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from app.database.connect import backend_of

Applied = Callable[[], None]
"""Called after each migration."""
FOLDER = Path(__file__).parent
VERSION_TABLE = "alembic_version"


async def migrate(url: URL, revision: str = "head", applied: Applied | None = None) -> None:
    """Migrate the database at `url` to `revision`, in one transaction."""
    engine = backend_of(url).migration_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, revision, applied)
    finally:
        await engine.dispose()


def upgrade(connection: Connection, revision: str = "head", applied: Applied | None = None) -> None:
    """Migrate the database of an open connection to `revision`."""
    backend_of(connection.engine.url).lock_migration(connection)
    if revision == "head" and current(connection) == head():
        return
    from alembic import command  # its import takes as long as a tenth of a server's start, and is seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes |= {"connection": connection, "applied": applied}
    command.upgrade(config, revision)


def current(connection: Connection) -> str | None:
    """Return the revision of a database; None if it has no tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return revision


@cache
def revisions() -> list[str]:
    """Return the revisions that this version knows, oldest first: each follows the one before it, and its file has its
    name first."""
    return sorted(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """Return the newest revision that this version knows."""
    return revisions()[-1]


def knows(revision: str) -> bool:
    """Return whether a revision is one of this version's."""
    return revision in revisions()


def pending(revision: str | None) -> int:
    """Return the number of migrations from a known revision to the newest one."""
    return len(revisions()) - (0 if revision is None else revisions().index(revision) + 1)
