"""Mutations with plans: serial execution, and no rollback of completed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import app.pipelines.service
from app.database.postgres.database import Postgres
from app.database.sqlite.database import Sqlite
from app.database.sqlite.reader import SqliteReader
from app.errors import Busy
from tests.schema.plans.data import fill, id_of
from tests.schema.plans.pair import Pair, written

ID = id_of(1, 10)
FIELDS = "pipeline { name elements { name } } userErrors { message }"
TWICE = f"""mutation {{
  a: updatePipeline(id: "{ID}", input: {{name: "first"}}) {{ {FIELDS} }}
  b: duplicatePipeline(id: "{ID}") {{ {FIELDS} }}
  c: updatePipeline(id: "{ID}", input: {{name: "last"}}) {{ {FIELDS} }}
}}"""


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


async def test_they_come_one_after_another(pair: Pair) -> None:
    await fill(pair.services.database)
    served = pair.plans.tally.plan
    body = (await pair.answer(TWICE)).body["data"]
    assert [(key, payload["pipeline"]["name"]) for key, payload in body.items()] == [
        ("a", "first"),
        ("b", "first (copy)"),
        ("c", "last"),
    ]
    assert pair.plans.tally.plan == served + 1


@pytest.mark.parametrize("error", [Busy("Try again."), RuntimeError("secret")])
async def test_nothing_comes_after_a_fault(pair: Pair, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(app.pipelines.service, "duplicate", failing(error))
    answers = []
    for plans in (None, pair.plans):
        await fill(pair.services.database)
        answers.append((await pair.answer(TWICE, plans=plans)).body)
        name = await pair.same(f'{{ pipeline(id: "{ID}") {{ name }} }}')
        assert name["data"]["pipeline"] == {"name": "first"}
    for answer in answers:
        assert answer["data"] is None
        [told] = answer["errors"]
        assert told["path"] == ["b"]
        assert "secret" not in told["message"]
    first, second = (answer["errors"][0]["extensions"] for answer in answers)
    assert (first["code"], first.keys()) == (second["code"], second.keys())


def break_plans(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make the reads of plans fail."""
    monkeypatch.setattr(SqliteReader, "_run_here", failing(error))
    monkeypatch.setattr(Postgres, "run", failing(error))


async def test_what_cannot_be_read_after_a_change_is_told_as_the_executor_tells_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_plans(monkeypatch, Busy("Try again."))
    for database in (Sqlite, Postgres):
        monkeypatch.setattr(database, "read", failing(Busy("Try again.")))
    answers = []
    for plans in (None, pair.plans):
        await fill(pair.services.database)
        answers.append(written(await pair.answer(TWICE, plans=plans)))
    assert answers[0] == answers[1]
    assert b'"path":["a","pipeline","elements"]' in answers[1]


async def test_a_query_that_a_plan_fails_at_is_the_executors(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    break_plans(monkeypatch, OSError("disk"))
    found = await pair.same(f'{{ pipeline(id: "{ID}") {{ id }} }}', served=False)
    assert found == {"data": {"pipeline": {"id": ID}}}
