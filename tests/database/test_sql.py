"""SQL of each kind of database, found by its dialect."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import pytest
from sqlalchemy.dialects import mysql
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.availability import is_unavailable
from app.database.connect import BACKENDS, backend_of, open_database
from app.database.connect import database_url as parsed
from app.models.columns import Contains, now
from app.models.sql import is_file, sql_of
from app.models.tables import Pipeline, Worker


def test_each_kind_of_database_has_its_sql() -> None:
    for backend in BACKENDS:
        for scheme in backend.schemes:
            url = parsed(f"{scheme}:///name")
            assert backend_of(url) is backend
            assert sql_of(url.get_dialect()) is backend.sql
    assert is_file(parsed("sqlite:///a.db"))
    assert not is_file(parsed("postgresql://host/name"))


def test_an_unknown_dialect_is_an_error() -> None:
    with pytest.raises(LookupError, match="`mysql`; registered are: sqlite, default, postgresql"):
        sql_of(mysql.dialect)


def test_statements_are_printed_without_a_database() -> None:
    query = select(Pipeline.name).where(Contains(Pipeline.name, "x"), col(Pipeline.created_at) < now())
    assert "instr(pipeline.name, :param_1) > 0 AND pipeline.created_at < :created_at_1" in str(query)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"), True),
        (asyncpg.PostgresConnectionError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.exceptions.DataError(), False),
    ],
)
def test_a_lost_connection_to_postgresql_is_told_from_a_wrong_statement(error: Exception, lost: bool) -> None:
    assert is_unavailable(error) is lost


async def test_an_upsert_inserts_a_row_and_then_updates_it(database_url: str) -> None:
    async with open_database(parsed(database_url), 100) as database:
        for text in ("2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"):
            at = datetime.fromisoformat(text)

            async def work(session: AsyncSession, at: object = at) -> None:
                await session.exec(sql_of(database.dialect).upsert(Worker, {"id": "w", "heartbeat_at": at}, "id"))

            await database.write(work)
        async with database.read() as session:
            assert (await session.exec(select(func.count(), func.max(col(Worker.heartbeat_at))))).one() == (1, at)
