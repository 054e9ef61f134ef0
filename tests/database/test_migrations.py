"""Migrations create exactly the tables of the models."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import app.models.measurements
import app.models.tables  # noqa: F401  registers the tables
from app.auth.caller import Caller
from app.cli.checks.doctor import _database
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.migrations import FOLDER, head, knows, migrate, pending, revisions
from app.errors import Rejected
from app.pipelines import service
from app.pipelines.elements import SubmittedElements
from app.pipelines.inputs import parse_create
from app.settings import Settings
from tests import servers
from tests.sharing import in_process


def is_of_models(_object: object, name: str | None, *_: object) -> bool:
    """Return whether models describe a table or an index: the search of names is SQL of each database, and the key
    store makes its own tables."""
    return not (name or "").startswith(("pipeline_search", "api_key"))


def test_revisions_are_those_of_alembic_in_its_order() -> None:
    steps = [*ScriptDirectory(str(FOLDER)).walk_revisions()]
    assert revisions() == [each.revision for each in reversed(steps)]
    assert [each.down_revision for each in reversed(steps)] == [None, *revisions()[:-1]]
    assert (head(), knows(head()), knows("9999")) == (revisions()[-1], True, False)
    assert [pending(each) for each in (None, "0001", head())] == [len(revisions()), len(revisions()) - 1, 0]


async def test_the_tables_are_those_of_the_models(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_of_models})
        return list(compare_metadata(context, SQLModel.metadata))

    engine = create_async_engine(parsed(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    server: servers.Postgres = request.getfixturevalue("postgres")
    return server.new_database(empty=True)


@pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
async def test_idempotency_keys_come_to_the_projects_of_their_pipelines(empty_url: str) -> None:
    wanted = [
        parse_create(project_id=id, name="n", elements=SubmittedElements([], None), idempotency_key="k")
        for id in ("p", "gone")
    ]
    await migrate(parsed(empty_url), "0004")
    engine = create_async_engine(parsed(empty_url), poolclass=NullPool)
    at = "2026-11-23T10:00:00.000000Z"
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO pipeline (id, organization_id, project_id, name, folded_name, status, created_at, updated_at,"
            f" attempt) VALUES ('1', 'o', 'p', 'n', 'n', 'PENDING', '{at}', '{at}', 0)"
        )
        for key, id, each in (("k", "1", wanted[0]), ("of-gone", "2", wanted[1])):
            await connection.exec_driver_sql(
                "INSERT INTO idempotency_key (organization_id, key, fingerprint, pipeline_id, created_at)"
                f" VALUES ('o', '{key}', '{each.fingerprint}', '{id}', '{at}')"
            )
    await engine.dispose()
    await migrate(parsed(empty_url))
    async with open_database(parsed(empty_url), 100) as database:
        caller, again = Caller("o"), partial(service.create, database, Caller("o"))
        assert (await again(wanted[0])).id == "1"
        with pytest.raises(Rejected, match="something else"):
            await again(wanted[0]._replace(name="other"))
        with pytest.raises(Rejected, match="has been deleted"):
            await again(wanted[1]._replace(idempotency_key="of-gone"))
        # The project of a deleted pipeline's key is unknown.
        narrow = replace(caller, projects=frozenset({"p"}))
        assert await service.create(database, narrow, wanted[0]._replace(idempotency_key="of-gone"))


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await migrate(parsed(database_url))
    await test_the_tables_are_those_of_the_models(database_url)


async def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start creates all tables, which would fail if some existed."""
    for url in (f"sqlite:///{tmp_path}/new.db", postgres.new_database(empty=True)):
        with monkeypatch.context() as patched:
            patched.setattr(op, "bulk_insert", fail)
            with pytest.raises(ZeroDivisionError):
                await migrate(parsed(url))
        await migrate(parsed(url))
        await test_the_tables_are_those_of_the_models(url)


def fail(*_: object) -> None:
    raise ZeroDivisionError


async def test_without_the_right_to_create_the_extension_texts_are_searched_row_by_row(
    postgres: servers.Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    owner = make_url(postgres.new_database(empty=True))
    role = f"plain_{uuid4().hex}"
    admin = await asyncpg.connect(owner.render_as_string(hide_password=False))
    await admin.execute(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")
    await admin.close()
    url = owner.set(username=role).render_as_string(hide_password=False)
    await migrate(parsed(url))
    assert [record.args is not None and "pg_trgm" in record.message for record in caplog.records] == [True, True]
    async with in_process(url) as api:
        await api.create(name="Straße", description="About it")
        find = "query ($f: PipelineFilter) { pipelines(filter: $f) { nodes { name } } }"
        for filter in ({"nameContains": "RASS"}, {"nameStartsWith": "st"}, {"descriptionContains": "ABOUT"}):
            assert (await api.data(find, f=filter))["pipelines"]["nodes"] == [{"name": "Straße"}]
        for filter in ({"nameContains": "none"}, {"nameStartsWith": "ra"}, {"descriptionContains": "none"}):
            assert (await api.data(find, f=filter))["pipelines"]["nodes"] == []
    findings = await asyncio.to_thread(lambda: list(_database(Settings(database_url=url))))
    [(state, told)] = [finding for finding in findings if "row by row" in finding[1]]
    assert state == "warning"
    assert "pipeline_search and pipeline_search_description" in told
