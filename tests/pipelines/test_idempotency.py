"""Idempotency keys: a create with a key is executed once."""

import asyncio
from typing import Any

from tests.api import Api


async def create(api: Api, **fields: Any) -> Any:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {"element_type": "entry", "x": 1}}]
    given = {"projectId": "p", "elements": elements, "idempotencyKey": "key", **fields}
    return await api.run("CreatePipeline", input=given)


async def test_the_same_request_again_answers_the_first_pipeline(api: Api) -> None:
    first, again = await create(api), await create(api)
    assert again == first
    assert (await api.run("Pipelines"))["totalCount"] == 1


async def test_the_form_of_the_elements_does_not_matter(api: Api) -> None:
    first = await create(api)
    again = await create(api, elements=None, elementsByName={"a": {"element_type": "entry", "x": 1}})
    assert again["pipeline"]["id"] == first["pipeline"]["id"]


async def test_another_request_with_the_key_is_a_conflict(api: Api) -> None:
    await create(api)
    [error] = (await create(api, name="another"))["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "idempotencyKey"])
    assert (await api.run("Pipelines"))["totalCount"] == 1


async def test_a_late_repeat_does_not_bring_a_deleted_pipeline_back(api: Api) -> None:
    first = await create(api)
    await api.run("DeletePipeline", id=first["pipeline"]["id"])
    [error] = (await create(api))["userErrors"]
    assert error["code"] == "CONFLICT"
    assert (await api.run("Pipelines"))["totalCount"] == 0


async def test_other_keys_and_no_key_make_other_pipelines(api: Api) -> None:
    payloads = [await create(api, idempotencyKey=key) for key in ("key", "other", None, None)]
    assert len({payload["pipeline"]["id"] for payload in payloads}) == 4


async def test_each_project_has_keys_of_its_own(api: Api) -> None:
    first, other = await create(api), await create(api, projectId="other", name="other")
    assert other["userErrors"] == []
    assert other["pipeline"]["id"] != first["pipeline"]["id"]
    assert await create(api) == first
    assert await create(api, projectId="other", name="other") == other
    [error] = (await create(api, projectId="other"))["userErrors"]
    assert error["code"] == "CONFLICT"


async def test_many_at_once_make_one(api: Api) -> None:
    payloads = await asyncio.gather(*(create(api) for _ in range(20)))
    assert len({payload["pipeline"]["id"] for payload in payloads}) == 1
    assert (await api.run("Pipelines"))["totalCount"] == 1


async def test_an_empty_or_long_key_is_invalid(api: Api) -> None:
    for key in ("", " ", "k" * 256):
        [error] = (await create(api, idempotencyKey=key))["userErrors"]
        assert (error["code"], error["field"]) == ("INVALID", ["input", "idempotencyKey"])
