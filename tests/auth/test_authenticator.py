"""Authentication, over GraphQL and over REST."""

import httpx
import pytest

from tests.api import Api
from tests.auth.conftest import Locked

ASK = {"query": "{ viewer { organizationId userId email } }"}


async def ask(api: Api, by: str, **headers: str) -> httpx.Response:
    if by == "rest":
        return await api.http.get("/pipelines", headers=headers)
    if by == "stream":
        headers["accept"] = "text/event-stream"
    return await api.http.post("/graphql", json=ASK, headers=headers)


WAYS = pytest.mark.parametrize("by", ["graphql", "rest", "stream"])


@WAYS
async def test_without_a_valid_key_nobody_is_let_in(locked: Locked, by: str) -> None:
    for headers in ({}, {"x-api-key": "vg_000000000000_" + "a" * 43}, {"authorization": "Basic abc"}):
        answer = await ask(locked.with_key(None), by, **headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "UNAUTHENTICATED" in answer.text


@WAYS
async def test_a_key_is_taken_from_either_header(locked: Locked, by: str) -> None:
    secret = await locked.store.create("ours")
    for headers in (
        {"x-api-key": secret},
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"bearer {secret}"},
    ):
        assert (await ask(locked.with_key(None), by, **headers)).status_code == 200


@WAYS
async def test_an_organization_header_narrows_and_never_widens(locked: Locked, by: str) -> None:
    api = await locked.api("ours")
    assert (await ask(api, by, **{"x-organization-id": "ours"})).status_code == 200
    answer = await ask(api, by, **{"x-organization-id": "theirs"})
    assert answer.status_code == 403
    assert "FORBIDDEN" in answer.text


@WAYS
async def test_a_revoked_key_is_refused(locked: Locked, by: str) -> None:
    api = await locked.api("ours")
    assert (await ask(api, by)).status_code == 200
    await locked.store.revoke((await locked.store.all())[-1].prefix)
    assert (await ask(api, by)).status_code == 401


async def test_the_viewer_is_who_holds_the_key(locked: Locked) -> None:
    api = await locked.api("ours", user_id="u", email="u@example.org")
    assert (await api.data(ASK["query"]))["viewer"] == {
        "organizationId": "ours",
        "userId": "u",
        "email": "u@example.org",
    }
    created = await api.http.post("/pipelines", json={"project_id": "p", "elements": {}})
    assert created.json()["created_by_email"] == "u@example.org"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "a.localhost"]
)
async def test_without_keys_names_of_this_machine_are_answered(api: Api, host: str) -> None:
    for by in ("graphql", "rest", "stream"):
        assert (await ask(api, by, host=host)).status_code == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "[", "127.0.0.1.evil.example"]
)
async def test_without_keys_other_names_are_refused(api: Api, host: str) -> None:
    for by in ("graphql", "rest", "stream"):
        answer = await ask(api, by, host=host)
        assert answer.status_code == 403
        assert "localhost" in answer.text
