"""Copies of pipelines: the bytes that one operation copies are limited, and charged to the key."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth import rate_limit
from app.pipelines import budget
from tests.api import Api
from tests.auth.conftest import Locked, locked, store
from tests.schema.requests import stored
from tests.sharing import in_process

__all__ = ["locked", "store"]
COPY = '%s: duplicatePipeline(id: "%s") { pipeline { id } userErrors { code message field } }'


async def create(api: Api, size: int) -> str:
    """Create a pipeline with a configuration of `size` bytes; return its id."""
    config = {"a": "x" * (size - len('{"a":""}'))}
    id: str = (await api.create(elements=[{"name": "e", "elementType": "DIRECT_ENTRY", "jobConfig": config}]))["id"]
    return id


@pytest.mark.parametrize("plans", [True, False])
async def test_an_operation_copies_a_limited_number_of_bytes(
    database_url: str, plans: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_COPIED", 10_000)
    async with in_process(database_url, plans=plans) as api:
        large, small = await create(api, 6_000), await create(api, 4_000)
        ids = {"a": large, "b": large, "c": small, "d": small}
        found: dict[str, Any] = await api.data("mutation { " + " ".join(COPY % each for each in ids.items()) + " }")
        assert [found[name]["pipeline"] is None for name in ids] == [False, True, False, True]
        [error] = found["b"]["userErrors"]
        assert (error["code"], error["field"]) == ("INVALID", ["id"])
        assert "has copied 6,000 bytes, and this pipeline has 6,000; 10,000 are allowed" in error["message"]
        assert await stored(api) == 4


@pytest.mark.parametrize("plans", [True, False])
async def test_one_copy_may_be_as_large_as_its_pipeline(
    database_url: str, plans: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_COPIED", 100)
    async with in_process(database_url, plans=plans, max_answer_bytes=1024) as api:
        id = await create(api, 6_000)
        found = await api.data(f"mutation {{ {COPY % ('a', id)} }}")
        assert found["a"]["userErrors"] == []
        assert await stored(api) == 2


async def test_large_copies_are_charged_to_the_key(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "CHARGED", 5_000)
    monkeypatch.setattr(rate_limit, "COPIED_PER_SECOND", 1_000.0)
    api = await locked.api()
    large, small = await create(api, 6_000), await create(api, 4_000)

    async def paid(id: str) -> int:
        answer = await api.post(f"mutation {{ {COPY % ('a', id)} }}")
        assert answer["data"]["a"]["userErrors"] == []
        cost: dict[str, int] = answer["extensions"]["cost"]
        [(left, _)] = locked.app.state.services.rate_limiter._buckets.values()
        return int(cost["left"] - left)

    assert await paid(small) == 0
    assert await paid(large) >= 100_000
