"""Migrations of the tables (Alembic), for all databases."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from app.database.connect import backend_of

Applied = Callable[[], None]
"""Called after each migration."""


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
    if revision == "head" and MigrationContext.configure(connection).get_current_heads() == (head(),):
        return
    config = _config()
    config.attributes |= {"connection": connection, "applied": applied}
    command.upgrade(config, revision)


@cache
def head() -> str:
    """Return the newest revision that this version knows."""
    [newest] = _scripts().get_heads()
    return newest


def knows(revision: str) -> bool:
    """Return whether a revision is one of this version's."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def pending(revision: str | None) -> int:
    """Return the number of migrations from a known revision to the newest one."""
    return len(list(_scripts().iterate_revisions("head", revision or "base")))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
