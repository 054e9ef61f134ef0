"""The migrations make exactly the tables of the models."""

from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import app.models  # noqa: F401  registers the tables
from app.database import database_url as parsed
from app.migrations import migrate
from tests import servers


async def test_the_tables_are_those_of_the_models(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    engine = create_async_engine(parsed(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await migrate(parsed(database_url))
    await test_the_tables_are_those_of_the_models(database_url)


async def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start makes all of it: with some of the tables there already, it could not."""
    for url in (f"sqlite:///{tmp_path}/new.db", postgres.new_database(empty=True)):
        with monkeypatch.context() as patched:
            patched.setattr(op, "bulk_insert", fail)
            with pytest.raises(ZeroDivisionError):
                await migrate(parsed(url))
        await migrate(parsed(url))
        await test_the_tables_are_those_of_the_models(url)


def fail(*_: object) -> None:
    raise ZeroDivisionError
