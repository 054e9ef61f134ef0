"""Computed fields: resolvers run once per operation, within its limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.errors import AnswerTooLarge, RequestError, RequestErrorCode
from app.execution.checking.checker import Checker
from schema.plans.planner import Planner
from tests.schema.plans.pair import Pair

CHECK = """{ checkPipeline(input: {projectId: "a", elements: [{name: "e", elementType: CALCULATION, jobConfig: {}}]}) {
  isValid } viewer { email } }"""
SERIES = "{ measurements(first: 100) { nodes { id series } } }"


async def test_a_refused_check_is_not_run_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    async def refuse(*_: Any) -> Any:
        nonlocal calls
        calls += 1
        raise RequestError(RequestErrorCode.TIMEOUT, "Slow.")

    monkeypatch.setattr(Checker, "faults", refuse)
    body = await pair.same(CHECK)
    assert body["data"] is None
    [error] = body["errors"]
    assert (error["message"], error["path"]) == ("Slow.", ["checkPipeline"])
    assert calls == 2  # by the executor alone, and by the plan


URLS = "measurements(first: 5) { nodes { id url: downloadUrl } }"


@pytest.mark.parametrize("has_check", [False, True])
async def test_several_refused_values_are_computed_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, has_check: bool
) -> None:
    asked: list[str] = []

    async def refuse(_: Any, given: Any) -> Any:
        asked.append(str(given))
        raise RequestError(RequestErrorCode.BUSY, f"Not now: {given}")

    monkeypatch.setattr(type(pair.services.signer), "path", refuse)
    monkeypatch.setattr(Checker, "faults", lambda *_: refuse(None, "check"))
    body = await pair.same(CHECK[:-1] + URLS + "}" if has_check else f"{{ {URLS} }}")
    paths = [error["path"] for error in body["errors"]]
    assert paths == [["checkPipeline"]] if has_check else len(paths) == len({*asked}) > 1
    assert (body["data"] is None) is has_check
    # Once by the plan, and once by the executor alone, which ends all others with the first that cannot be null.
    wanted = {"check": 2} if has_check else dict.fromkeys(asked, 2)
    assert Counter(asked).items() >= wanted.items()
    assert max(Counter(asked).values()) == 2


async def test_a_slow_value_ends_with_the_time_of_the_request(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(Checker, "faults", wait)
    operation = await pair.operation(CHECK)
    brief = operation._replace(settings=operation.settings.model_copy(update={"request_timeout": 0.2}))
    with pytest.raises(RequestError) as raised:
        await brief.answer()
    assert raised.value.code is RequestErrorCode.TIMEOUT


async def test_computed_values_count_as_bytes_of_the_answer(pair: Pair) -> None:
    with pytest.raises(AnswerTooLarge):
        await pair.with_plans(Planner(pair.services, 100)).answer(SERIES)
    assert (await pair.answer(SERIES)).body["data"]
