"""PostgreSQL finds pairs of letters and names of elements by its indexes, and the same pipelines as without probes."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest

from app.database.connect import database_url
from app.database.postgres.backend import PostgresBackend
from app.models.enums import ElementType, PipelineElementStatus
from app.pipelines.lists import probes
from app.pipelines.lists.predicates import OF_ELEMENT, Condition, Group, predicate
from app.pipelines.lists.probes import Probe
from app.pipelines.lists.server_probes import BY_INDEXES, prober_of
from schema.plans.statements import CompiledStatement
from tests import servers
from tests.sharing import in_process

ROWS = 20_000
FILL = f"""INSERT INTO pipeline (id, organization_id, project_id, name, folded_name, description, status, created_at,
    updated_at, attempt)
  SELECT 'p' || n, 'local', 'p', 'n', 'pipeline ' || n || CASE WHEN n = 9 THEN ' qw' ELSE '' END,
    'Cell ' || n || ' of a series', 'PENDING', now(), now(), 0 FROM generate_series(1, {ROWS}) AS g (n);
INSERT INTO pipeline_element (id, pipeline_id, organization_id, name, element_order, element_type, status, created_at,
    updated_at, attempt, job_config)
  SELECT 'e' || n, 'p' || n, 'local', 'element ' || n % 10, 1, 'DATA_FIT', 'PENDING', now(), now(), 0, '{{}}'
  FROM generate_series(1, {ROWS}) AS g (n);"""
NAMES = ["Azé", "fuzz", "fuzz-1", "fizzy", "zé", "a.b", "ZZ TOP", "q\nzz", "aéz", "x_z%", "Größe", "z"]
TEXTS = ["zz", "z", "az", "é", "zé", "z-", "b", "to", "z%", "_z", "ss", "a.", "\nz", "qq", "1"]
QUERY = """query ($f: PipelineFilter) {
  pipelines(filter: $f) { totalCount nodes { name } } pipelineCounts(filter: $f) { status count } }"""
ELEMENTS: list[dict[str, Any]] = [
    {"name": name, "elementType": "DATA_FIT", "jobConfig": {}} for name in ("Fuzz", "other")
]
FILTERS: list[dict[str, Any]] = [
    *({name: text} for text in TEXTS for name in ("nameContains", "descriptionContains")),
    *({"element": {"nameContains": text}} for text in ("FU", "uzz", "none", "e", "t_e")),
    {"element": {"nameContains": "fuzz", "types": ["VALIDATION"]}},
    {"element": {"nameContains": "fuzz", "statuses": ["PENDING"], "types": ["DATA_FIT", "VALIDATION"]}},
    {"or": [{"nameContains": "qq"}, {"descriptionContains": "zz"}]},
    {"not": {"nameContains": "zz"}},
]


async def test_answers_do_not_depend_on_probes(postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    async with in_process(postgres.new_database()) as api:
        for number, name in enumerate(NAMES):
            await api.create(name=name, description=f"about {name}", elements=ELEMENTS[: number % 3])
        found = []
        for few, most in ((1000, 16), (2, 16), (0, 16), (0, 0)):
            monkeypatch.setattr(probes, "FEW", few)
            monkeypatch.setattr(probes, "MOST_PROBES", most)
            found.append([await api.data(QUERY, f=filter) for filter in FILTERS])
    for number, filter in enumerate(FILTERS):
        assert all(each[number] == found[-1][number] for each in found), filter
    assert sum(bool(data["pipelines"]["nodes"]) for data in found[-1]) > len(FILTERS) / 2


@pytest.fixture
async def filled(postgres: servers.Postgres) -> Any:
    connection = await asyncpg.connect(postgres.new_database())
    await connection.execute(FILL)
    await connection.execute("VACUUM ANALYZE pipeline")
    await connection.execute("VACUUM ANALYZE pipeline_element")
    yield connection
    await connection.close()


def probe(condition: Condition) -> tuple[str, Any]:
    dialect = database_url("postgresql://h/d").get_dialect()()
    found = prober_of(dialect).probe(condition, "created_at")
    assert isinstance(found, Probe)
    limits = {"organization_id": "local", "most": found.few + 1, "most_names": found.few + 2}
    return CompiledStatement(found.query, dialect)(limits | found.parameters)


async def plan(connection: Any, condition: Condition) -> str:
    sql, parameters = probe(condition)
    async with connection.transaction():
        await connection.execute(str(BY_INDEXES.query))
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *parameters))


async def test_pairs_of_letters_and_names_of_elements_are_found_by_indexes(filled: Any) -> None:
    assert PostgresBackend.sql.numbers_rows is False
    for text, searches in (("zz", 1), ("-z", 1), ("z", 7)):
        for field, operator in (("name", "contains"), ("description", "contains_ascii")):
            found = await plan(filled, predicate(field, operator, text))
            assert not re.search("Seq Scan on pipeline|Gather", found), found
            assert found.count("Bitmap Index Scan on pipeline_search") == searches, found
    names = predicate(OF_ELEMENT + "name", "contains_ascii", "none")
    found = await plan(filled, Group("element", (names,)))
    assert "Seq Scan on pipeline" not in found, found


async def test_many_rows_are_told_as_null_alone(filled: Any) -> None:
    async def found(condition: Condition) -> list[Any]:
        sql, parameters = probe(condition)
        return [row[0] for row in await filled.fetch(sql, *parameters)]

    assert await found(predicate("name", "contains", "qw")) == ["p9"]
    assert await found(predicate("name", "contains", "pi")) == [None]
    assert await found(predicate("name", "contains", "~")) == []
    of = [predicate(OF_ELEMENT + "name", "contains_ascii", text) for text in ("element", "none")]
    assert [await found(Group("element", (each,))) for each in of] == [[None], []]
    kinds = [
        predicate(OF_ELEMENT + "status", "in", [PipelineElementStatus.COMPLETED]),
        predicate(OF_ELEMENT + "element_type", "in", [ElementType.DATA_FIT]),
    ]
    assert await found(Group("element", (of[0], *kinds))) == []
