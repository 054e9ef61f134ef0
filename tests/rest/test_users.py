"""Current user."""

from __future__ import annotations

from tests.api import Api
from tests.auth.conftest import Locked, locked
from tests.rest.requests import get

__all__ = ["locked"]


async def test_a_key_is_told_whose_it_is(locked: Locked) -> None:
    ours = await locked.api("ours", user_id="ada", email="ada@lab.example")
    organization = {"id": "ours", "name": "ours"}
    user = {"id": "ada", "email": "ada@lab.example"}
    expected = {**user, "authorized_organization": organization, "organizations": [organization]}
    assert await get(ours, "/users/me") == expected


async def test_without_keys_everybody_is_the_local_organization(api: Api) -> None:
    found = await get(api, "/users/me")
    assert (found["id"], found["authorized_organization"]["id"]) == (None, "local")


async def test_without_its_key_nobody_is_told_anything(locked: Locked) -> None:
    answer = await locked.with_key(None).http.get("/users/me")
    assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
