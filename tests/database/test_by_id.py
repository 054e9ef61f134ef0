"""Reads of many ids use the primary key: on SQLite, an index of the organization would read all of its rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, literal_column
from sqlalchemy.dialects import sqlite

from app.auth.caller import LOCAL
from app.models.sql import sql_of
from app.pipelines import repository
from app.pipelines.transactions.statements import find_many
from schema.plans.measurements.fields import MODELS, queries_of
from schema.plans.statements import CALLER, given_ids

MANY = [f"id {number}" for number in range(100)]
DIALECT = sqlite.dialect()


def plan_of(file: Path, query: Select[Any]) -> str:
    """Return SQLite's query plan."""
    bare: Any = query.with_only_columns(literal_column("1"), maintain_column_froms=True)
    compiled = bare.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    sql = str(compiled)
    with sqlite3.connect(file) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ["[]"] * sql.count("?"))
        return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize("is_prepared", [True, False])
@pytest.mark.parametrize("name", ["pipeline", *MODELS])
def test_many_ids_are_found_by_the_primary_key(sqlite_template: Path, name: str, is_prepared: bool) -> None:
    ids: Any = given_ids(sql_of(DIALECT), one=False).stands if is_prepared else MANY
    caller = CALLER if is_prepared else LOCAL
    query = repository.pipelines_query(caller, ids) if name == "pipeline" else queries_of(name, caller, ids)
    expect_primary_key(plan_of(sqlite_template, query))


def test_pipelines_of_events_are_found_by_the_primary_key(sqlite_template: Path) -> None:
    expect_primary_key(plan_of(sqlite_template, find_many(sql_of(DIALECT))))


def expect_primary_key(plan: str) -> None:
    assert "(id=?)" in plan
    assert "organization_id" not in plan
