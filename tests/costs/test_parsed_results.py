"""Results that fields read a part of: parsed once per row, and counted before they are parsed."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import orjson
import pytest
from graphql import located_error

from app.auth.caller import LOCAL
from app.errors import AnswerTooLarge, RequestError, RequestErrorCode
from app.pipelines.budget import PARSED, Budget
from app.pipelines.results import parsed
from schema.types.context import BATCH, Context
from tests import completed
from tests.api import Api
from tests.schema.requests import GRAPHQL, post, refusals
from tests.sharing import in_process

VALUES = {f"k{n}": float(n) for n in range(500)}
WARNING = {"code": "C", "message": "m"}
RESULT = {"parameter_values": VALUES, "warnings": [WARNING]}
SIZE = len(orjson.dumps(RESULT))
LIST, ONE = "{ pipelines(first: 1) { nodes { elements { %s } } } }", '{ pipeline(id: "%s") { elements { %%s } } }'
WARNINGS = " ".join(f"a{n}: warnings {{ code }}" for n in range(29))
NAMED = " ".join(f'a{n}: parameterValues(names: ["k{n}"])' for n in range(29))
OUTPUT = 5_000
"""Bytes of the answer besides those of results, at most."""


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Results that are parsed."""
    found: list[str] = []
    make = parsed.ParsedResult.__init__

    def noting(self: parsed.ParsedResult, text: str) -> None:
        found.append(text)
        make(self, text)

    monkeypatch.setattr(parsed.ParsedResult, "__init__", noting)
    return found


async def store(api: Api, result: dict[str, Any]) -> str:
    """Create a pipeline whose only element is completed with a result; return its id."""
    hold, element = await completed.held(api)
    await hold.complete_element(element["id"], result)
    id: str = element["pipeline_id"]
    return id


@pytest.mark.parametrize("plans", [True, False])
async def test_all_aliases_share_one_parse(database_url: str, plans: bool, parses: list[str]) -> None:
    async with in_process(database_url, plans=plans) as api:
        query = ONE % await store(api, RESULT)
        [element] = (await api.data(query % WARNINGS))["pipeline"]["elements"]
        assert element == {f"a{n}": [{"code": "C"}] for n in range(29)}
        [element] = (await api.data(query % NAMED))["pipeline"]["elements"]
        assert element == {f"a{n}": {f"k{n}": float(n)} for n in range(29)}
        assert len(parses) == 2
        await api.data(query % "warnings { code } job { element { warnings { message } parameterValues } }")
        assert len(parses) == 3


@pytest.mark.parametrize("plans", [True, False])
@pytest.mark.parametrize(
    ("fields", "factor"),
    [("warnings { code }", PARSED), (WARNINGS, PARSED), ("parameterValues", PARSED + 1), (NAMED, PARSED + 29)],
)
async def test_a_result_is_counted_before_it_is_parsed(
    database_url: str, plans: bool, fields: str, factor: int, parses: list[str]
) -> None:
    most = factor * SIZE
    async with in_process(database_url, plans=plans) as api:
        query = ONE % await store(api, RESULT)
    async with in_process(database_url, plans=plans, max_answer_bytes=most + OUTPUT) as api:
        for text in (query, LIST):
            assert "errors" not in (await post(api, {"query": text % fields})).json()
    parses.clear()
    async with in_process(database_url, plans=plans, max_answer_bytes=PARSED * SIZE - 1) as api:
        for text in (query, LIST):
            refusals(await post(api, {"query": text % fields}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")
        assert parses == []
    async with in_process(database_url, plans=plans, max_answer_bytes=most - 1) as api:
        refusals(await post(api, {"query": query % fields}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")


async def test_rest_counts_a_result_before_it_is_parsed(database_url: str, parses: list[str]) -> None:
    async with in_process(database_url) as api:
        id = await store(api, RESULT)
        answer = await api.http.get(f"/pipelines/{id}/result")
        assert answer.json()["result"] == {"parameter_values": VALUES}
    parses.clear()
    async with in_process(database_url, max_answer_bytes=PARSED * SIZE) as api:
        answer = await api.http.get(f"/pipelines/{id}/result")
        assert (answer.status_code, answer.json()["error_code"]) == (400, "ANSWER_TOO_LARGE")
    assert parses == []


@pytest.mark.parametrize("plans", [True, False])
async def test_warnings_are_counted_as_work(database_url: str, plans: bool) -> None:
    async with in_process(database_url, plans=plans) as api:
        query = ONE % await store(api, {"warnings": [WARNING] * 2_500})
        [element] = (await api.data(query % "warnings { code message }"))["pipeline"]["elements"]
        assert element == {"warnings": [WARNING] * 2_500}
        answer = await post(api, {"query": query % WARNINGS}, accept=GRAPHQL)
        [error] = refusals(answer, 400, "ANSWER_TOO_LARGE")
        assert "too many rows" in error["message"]


@pytest.mark.parametrize("plans", [True, False])
async def test_nothing_more_is_made_for_an_answer_that_is_refused(
    database_url: str, plans: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = parsed.ParsedResult.parameter

    def noting(self: parsed.ParsedResult, name: str, element: str) -> parsed.ParameterValue:
        made.append(name)
        return make(self, name, element)

    monkeypatch.setattr(parsed.ParsedResult, "parameter", noting)
    fields = " ".join(f"a{n}: outcome {{ parameters {{ name unit value }} }}" for n in range(8))
    async with in_process(database_url, plans=plans) as api:
        query = ONE % await store(api, {"parameter_values": {f"k{n}": float(n) for n in range(100_000)}})
        refusals(await post(api, {"query": query % fields}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")
        assert made == []
        if not plans:  # in the executor, lists that wait for the database are made after the refusal of another
            query = ONE % await store(api, {"parameter_values": {f"k{n}": float(n) for n in range(3_500)}})
            refusals(await post(api, {"query": query % fields}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")
            assert len(made) == 3_500


async def test_a_refused_answer_makes_no_error_for_each_field(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def noting(error: Exception, *more: Any) -> Any:
        made.append(str(error))
        return located_error(error, *more)

    monkeypatch.setattr("graphql.execution.executor.located_error", noting)
    monkeypatch.setattr(
        Context, "trace", AsyncMock(side_effect=RequestError(RequestErrorCode.BAD_USER_INPUT, "Not now."))
    )
    async with in_process(database_url, plans=False, max_answer_bytes=PARSED * SIZE - 1) as api:
        query = ONE % await store(api, RESULT)
        await post(api, {"query": query % "job { a: trace { iteration } b: trace { iteration } }"})
        assert len(made) >= 2
        made.clear()
        refusals(await post(api, {"query": query % WARNINGS}, accept=GRAPHQL), 400, "ANSWER_TOO_LARGE")
        assert made == []


@pytest.mark.parametrize("loader", ["elements", "results", "series", "uploaded_files"])
async def test_nothing_more_is_read_for_an_answer_that_is_refused(loader: str) -> None:
    budget, database = Budget(0), MagicMock()
    context = Context(MagicMock(), LOCAL, budget, database)
    with pytest.raises(AnswerTooLarge):
        budget.take_bytes(1)
    with pytest.raises(AnswerTooLarge):
        await getattr(context, loader).load("any")
    database.read.assert_not_called()


async def test_aliases_share_one_read_of_each_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    async def read(_: Any, __: Any, ids: list[str], *, budget: Budget) -> list[str]:
        asked.append(ids)
        return [id.upper() for id in ids]

    monkeypatch.setattr("schema.types.context.repository.elements_of", read)
    context, ids = Context(MagicMock(), LOCAL, Budget(0), MagicMock()), [f"k{n}" for n in range(BATCH + 1)]
    found: list[Any] = await asyncio.gather(*(context.elements.load(id) for id in ids * 3))
    assert found == [id.upper() for id in ids] * 3
    assert asked == [ids[:BATCH], ids[BATCH:]]
