"""Idempotency-Key: a create with a key is executed once."""

import asyncio

import pytest

from tests.api import Api
from tests.rest.requests import get, pipeline


async def test_a_repeat_answers_what_the_first_created(api: Api) -> None:
    headers = {"idempotency-key": "k"}
    answers = await asyncio.gather(*(api.http.post("/pipelines", json=pipeline(), headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await get(api, "/pipelines"))["total"] == 1


async def test_something_else_with_the_key_is_a_conflict(api: Api) -> None:
    headers = {"idempotency-key": "k"}
    await api.http.post("/pipelines", json=pipeline(), headers=headers)
    answer = await api.http.post("/pipelines", json=pipeline(name="another"), headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")


async def test_each_project_has_keys_of_its_own(api: Api) -> None:
    headers = {"idempotency-key": "k"}
    bodies = [pipeline(), pipeline(project_id="other", name="other")]
    answers = [await api.http.post("/pipelines", json=body, headers=headers) for body in bodies + bodies]
    assert [answer.status_code for answer in answers] == [201] * 4
    ids = [answer.json()["id"] for answer in answers]
    assert ids[0] != ids[1]
    assert ids[2:] == ids[:2]


async def test_graphql_and_rest_share_keys(api: Api) -> None:
    first = await api.http.post("/pipelines", json=pipeline(name="n"), headers={"idempotency-key": "k"})
    elements = {"known": {"element_type": "entry", "values": {"a": 1}}}
    given = {"projectId": "project", "name": "n", "elementsByName": elements, "idempotencyKey": "k"}
    again = await api.run("CreatePipeline", input=given)
    assert again["pipeline"]["id"] == first.json()["id"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    answer = await api.http.post("/pipelines", json=pipeline(), headers={"idempotency-key": key})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    assert (await get(api, "/pipelines"))["total"] == 0
