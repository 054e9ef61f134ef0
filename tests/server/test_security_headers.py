"""Responses carry security headers for browsers and caches."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.schema.requests import post

QUERY = "{ viewer { organizationId } }"


async def test_no_browser_guesses_what_an_answer_is(api: Api) -> None:
    for answer in (
        await post(api, {"query": QUERY}),
        await post(api, {"query": "{"}),
        await post(api, []),
        await post(api, {"query": QUERY}, accept="text/event-stream"),
        await api.http.get("/graphql", params={"query": QUERY}),
        await api.http.get("/pipelines"),
        await api.http.get("/pipelines/none"),
        await api.http.get("/graphql", headers={"accept": "text/html"}),
    ):
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], answer.request


@pytest.mark.parametrize("path", ["/pipelines", "/pipelines/none", f"/graphql?query={QUERY}", "/graphql?query={"])
async def test_no_cache_keeps_what_is_for_one_caller(api: Api, path: str) -> None:
    assert (await api.http.get(path)).headers.get_list("cache-control") == ["no-store"]


async def test_an_event_stream_is_not_kept_either(api: Api) -> None:
    answer = await post(api, {"query": QUERY}, accept="text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
