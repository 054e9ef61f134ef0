"""Unknown paths: the response explains that this part of the hosted API is missing."""

from __future__ import annotations

import pytest

from tests.api import Api


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_the_answer_names_the_address_and_what_there_is(shared: Api, method: str) -> None:
    answer = await shared.http.request(method, "/simulations?limit=1")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error_code": "NOT_FOUND",
        "message": "No endpoint at /simulations. Voltgraph has pipelines, jobs and measurements; see /openapi.json.",
        "detail": None,
    }


@pytest.mark.parametrize("path", ["/%ff%ed%a0%80", "/" + "x" * 10_000, "/<script>", "/%00"])
async def test_an_address_is_repeated_cut_short_and_as_text(shared: Api, path: str) -> None:
    answer = await shared.http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()["message"]) < 400
