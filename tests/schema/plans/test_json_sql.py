"""JSON encoded by the database equals the executor's answers for any stored values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import apsw
import orjson
import pytest
from sqlalchemy import text

from app.main import create_app
from app.settings import Settings
from schema.plans.encoding.json_sql import JsonLists
from tests import servers
from tests.schema.plans.conftest import LARGE
from tests.schema.plans.data import fill, id_of
from tests.schema.plans.pair import Pair
from tests.schema.plans.test_columns import statements

PIPELINE = f'pipeline(id: "{id_of(1, 9)}")'
FIELDS = """id name elementOrder elementType status jobConfig result error errorCode createdAt updatedAt
  jobStatus __typename
  job { id status attempt startedAt finishedAt element { again: name } }"""
ONE = f"{{ {PIPELINE} {{ name isTerminal options {{ liveProgressUpdates }} elements {{ {FIELDS} }} }} }}"
MANY = f"{{ pipelines(first: 30) {{ nodes {{ name elements {{ {FIELDS} }} }} }} }}"


@asynccontextmanager
async def filled(url: str) -> AsyncIterator[Pair]:
    app = create_app(Settings(database_url=url, workers=0, **LARGE))
    async with app.router.lifespan_context(app):
        await fill(app.state.services.database)
        yield Pair(app)


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Pair]:
    """Pair over rows that a test may change."""
    async with filled(database_url) as pair:
        yield pair


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Pair]:
    async with filled(sqlite_url) as pair:
        yield pair


async def change(pair: Pair, what: str, **values: Any) -> None:
    async def work(session: Any) -> None:
        assert (await (await session.connection()).execute(text(what), values)).rowcount

    await pair.services.database.write(work)


async def test_nothing_of_these_is_built_in_python(sqlite: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[JsonLists] = []
    kept = JsonLists.read

    def noting(lists: JsonLists, *given: Any) -> Any:
        read.append(lists)
        return kept(lists, *given)

    monkeypatch.setattr(JsonLists, "read", noting)
    await sqlite.same(ONE)
    await sqlite.same(MANY)
    assert not read  # read by the same statement
    await sqlite.same(f"{{ pipelines(first: 30) {{ nodes {{ duration elements {{ {FIELDS} }} }} }} }}")
    assert len(read) == 1


async def test_only_the_rows_of_a_page_are_encoded(sqlite: Pair, sqlite_url: str) -> None:
    ids = orjson.dumps([id_of(1, number) for number in range(20)]).decode()
    query = f"{{ pipelines(filter: {{ids: {ids}}}, first: 2) {{ nodes {{ name elements {{ {FIELDS} }} }} }} }}"
    *_, page = await statements(sqlite, query)
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {page}", [None] * page.count("?"))]
    [encoded] = [place for place, step in enumerate(steps) if step == "SCAN page"]
    assert "USE TEMP B-TREE FOR ORDER BY" in steps[:encoded], steps
    assert not any("pipeline_element" in step for step in steps[:encoded]), steps
    await sqlite.same(query)


async def test_postgresql_reads_a_page_by_one_statement(postgres: servers.Postgres) -> None:
    async with filled(postgres.new_database()) as pair:
        for query in (ONE, MANY):
            assert len(await statements(pair, query)) == 1


@pytest.mark.parametrize("at", ["0001-01-01 00:00:00.000001", "1969-12-31 23:59:59.9", "9999-12-31 23:59:59.999999"])
async def test_an_instant_is_written_whenever_it_was(own: Pair, at: str) -> None:
    stored = f"'{at}+00:00'"
    if own.services.database.dialect.name == "sqlite":
        stored = f"'{at.replace(' ', 'T').ljust(26, '0' if '.' in at else '.')}Z'"
    for table in ("pipeline", "pipeline_element"):
        await change(own, f"UPDATE {table} SET created_at = {stored}, finished_at = {stored}")
    for query in (ONE, f"{{ {PIPELINE} {{ createdAt finishedAt elements {{ createdAt job {{ finishedAt }} }} }} }}"):
        await own.same(query)


@pytest.mark.parametrize(
    "name", ['"', "\\", "\\u0041", "\x01\x1f\x7f\n\t", "é 漢 🔋", "'; --", "\u2028<script>", "a" * 255]
)
async def test_any_text_is_written_as_json(own: Pair, name: str) -> None:
    for column in ("name", "error"):
        await change(own, f"UPDATE pipeline_element SET {column} = :name WHERE element_order = 2", name=name)
    await change(own, "UPDATE pipeline SET name = :name", name=name)
    for query in (ONE, MANY):
        body = await own.same(query)
        assert orjson.dumps(name) in orjson.dumps(body)


async def test_elements_are_in_their_order_whatever_was_written_first(own: Pair) -> None:
    await change(own, "UPDATE pipeline_element SET element_order = 100 - element_order")
    await own.same(ONE)
    body = await own.same(MANY)
    for node in body["data"]["pipelines"]["nodes"]:
        orders = [element["elementOrder"] for element in node["elements"]]
        assert orders == sorted(orders)


async def test_json_is_kept_to_the_character(own: Pair) -> None:
    config = '{"b":1.50,"a":[1e400,123456789012345678901234567890,"\\u00e9"],"b2":{}}'
    await change(own, "UPDATE pipeline_element SET job_config = :config", config=config)
    for query in (ONE, MANY):
        alone, planned, by_plan = await own.both(query)
        assert config.encode() in planned
        assert (alone, by_plan) == (planned, True)


async def test_an_integer_that_graphql_has_not_is_an_error(sqlite: Pair) -> None:
    await change(sqlite, "UPDATE pipeline_element SET attempt = 2147483648")
    for query in (ONE, MANY):
        await sqlite.same(query, served=False)


async def test_what_databases_write_otherwise_is_built_of_rows(own: Pair) -> None:
    for made in ("job { progress { cost } }", "parameterValues"):
        await own.same(f"{{ {PIPELINE} {{ elements {{ name {made} }} }} }}")


@pytest.mark.parametrize("width", [100, 240, 300])  # the last one has too many fields for the database
async def test_an_object_may_have_many_fields(own: Pair, width: int) -> None:
    names = " ".join(f"a{number}: name" for number in range(width))
    for query in (f"{{ {PIPELINE} {{ {names} }} }}", f"{{ {PIPELINE} {{ elements {{ {names} }} }} }}"):
        await own.same(query)


async def test_an_object_of_which_nothing_is_asked_is_empty(own: Pair) -> None:
    body = await own.same(f'{{ node(id: "{id_of(1, 9)}") {{ ... on Job {{ attempt }} }} }}')
    assert body == {"data": {"node": {}}}
    await own.same("{ pipelines(first: 2) { nodes { __typename } } }")
