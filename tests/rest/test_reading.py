"""Reads by id, and responses for unknown ids."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.rest.requests import ENTRY, created, get

NOBODY = "01a00000-0000-7000-8000-000000000000"


async def test_a_pipeline_is_answered_without_its_elements(shared: Api) -> None:
    detail = await created(shared, name="one")
    elements = detail.pop("elements")
    assert await get(shared, f"/pipelines/{detail['id']}") == detail
    assert await get(shared, f"/pipelines/{detail['id']}/elements") == elements


async def test_elements_are_a_plain_list_in_order(shared: Api) -> None:
    names = [f"{9 - index}" for index in range(9)]
    detail = await created(shared, elements=dict.fromkeys(names, ENTRY))
    assert [each["name"] for each in await get(shared, f"/pipelines/{detail['id']}/elements")] == names


async def test_an_element_is_found_by_its_own_id(shared: Api) -> None:
    for element in (await created(shared, elements={"a": ENTRY, "b": ENTRY}))["elements"]:
        assert await get(shared, f"/pipelines/elements/{element['id']}") == element


@pytest.mark.parametrize("id", [NOBODY, "x", "elements", "%2e%2e", "%ff%ed%a0%80", "x" * 10_000, "'; --", "%25"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/pipelines/{id}", None),
        ("PATCH", "/pipelines/{id}", {"name": "new"}),
        ("DELETE", "/pipelines/{id}", None),
        ("GET", "/pipelines/{id}/elements", None),
        ("GET", "/pipelines/elements/{id}", None),
    ],
)
async def test_an_unknown_id_is_not_found(shared: Api, method: str, path: str, body: Any, id: str) -> None:
    answer = await shared.http.request(method, path.format(id=id), json=body)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == "NOT_FOUND"
    assert answer.json()["detail"] is None


async def test_an_id_is_of_one_kind(shared: Api) -> None:
    detail = await created(shared)
    for path in (f"/pipelines/elements/{detail['id']}", f"/pipelines/{detail['elements'][0]['id']}"):
        assert (await shared.http.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/pipelines/%00", "/pipelines/elements/a%00", "/pipelines?name=%00"])
async def test_no_address_holds_a_nul(shared: Api, path: str) -> None:
    answer = await shared.http.get(path)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"


@pytest.mark.parametrize("path", ["/nothing", "/pipelines/a/b", "/graphql/"])
async def test_an_unknown_address_is_not_found_in_the_same_words(shared: Api, path: str) -> None:
    answer = await shared.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "NOT_FOUND"


ALLOWED = {
    ("PUT", "/pipelines/x"): "DELETE, GET, PATCH",
    ("POST", "/pipelines/x"): "DELETE, GET, PATCH",
    ("DELETE", "/pipelines"): "GET, POST",
    ("OPTIONS", "/pipelines/check"): "POST",
    ("DELETE", "/jobs/"): "GET, POST",
    ("PUT", "/cell_specifications/x"): "DELETE, GET, PATCH",
    ("POST", "/explorer/nothing.js"): "GET, HEAD",
}


@pytest.mark.parametrize(("method", "path"), ALLOWED)
async def test_another_method_is_not_allowed(shared: Api, method: str, path: str) -> None:
    answer = await shared.http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == ALLOWED[method, path]
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == "METHOD_NOT_ALLOWED"
