"""Changes requested by pages of other origins, with requests that browsers send without a preflight (CSRF)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.keys import KeyStore
from tests.api import operation
from tests.auth.conftest import store
from tests.schema.requests import creating
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live

__all__ = ["store"]

LISTED = "https://app.example"
REST = {"project_id": "p", "elements": {"e": {"element_type": "entry", "values": {}}}}
REFUSED: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://[::1"},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]
TAKEN: list[dict[str, str]] = [
    {},
    {"origin": "{own}"},
    {"origin": "{own}", "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"origin": "https://rewritten.example", "sec-fetch-site": "same-origin"},
]


MODES: dict[str, dict[str, Any]] = {"fast path": {}, "ASGI": {"fast_path": False}, "CORS": {"cors_origins": LISTED}}


@pytest.fixture(scope="module", params=MODES)
async def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    file: Path = tmp_path_factory.mktemp("pages") / "pages.db"
    async with clients.live(f"sqlite:///{file}", **MODES[request.param]) as running:
        yield running


async def count(live: Live) -> int:
    found: int = (await live.api.data("{ pipelines { totalCount } }"))["pipelines"]["totalCount"]
    return found


def changes(id: str) -> dict[str, dict[str, Any]]:
    """Requests that each change data."""
    return {
        "create": {"method": "POST", "url": "/pipelines", "json": REST},
        "start": {"method": "POST", "url": f"/pipelines/{id}/start"},
        "start as text": {"method": "POST", "url": f"/pipelines/{id}/start", "headers": {"content-type": "text/plain"}},
        "cancel": {"method": "POST", "url": f"/pipelines/{id}/cancel"},
        "rename": {"method": "PATCH", "url": f"/pipelines/{id}", "json": {"name": "other"}},
        "cancel a job": {"method": "POST", "url": "/jobs/none/cancel"},
        "mutation": {"method": "POST", "url": "/graphql", "json": creating()},
        "mutation as events": {
            "method": "POST", "url": "/graphql", "json": creating(), "headers": {"accept": "text/event-stream"}
        },
        "delete": {"method": "DELETE", "url": f"/pipelines/{id}"},
    }  # fmt: skip


async def sent(http: httpx.AsyncClient, change: dict[str, Any], given: dict[str, str], own: str) -> httpx.Response:
    page = {name: value.format(own=own) for name, value in given.items()}
    return await http.request(**{**change, "headers": {**change.get("headers", {}), **page}})


@pytest.mark.parametrize("given", REFUSED, ids=str)
async def test_a_page_of_another_origin_changes_nothing(live: Live, given: dict[str, str]) -> None:
    pipeline = await live.api.create()
    before = await count(live)
    for name, change in changes(pipeline["id"]).items():
        answer = await sent(live.http, change, given, live.url)
        assert (answer.status_code, "FORBIDDEN" in answer.text) == (403, True), (name, answer.text)
        assert "Pages of other origins" in answer.text
    assert await count(live) == before
    found = await live.api.run("Pipeline", id=pipeline["id"])
    assert (found["status"], found["name"]) == ("PENDING", pipeline["name"])


@pytest.mark.parametrize("given", TAKEN, ids=str)
async def test_what_comes_from_no_other_page_is_done(live: Live, given: dict[str, str]) -> None:
    pipeline = await live.api.create()
    for name, change in changes(pipeline["id"]).items():
        answer = await sent(live.http, change, given, live.url)
        assert answer.status_code != 403, (name, answer.text)
    assert await live.api.run("Pipeline", id=pipeline["id"]) is None


async def test_reads_are_answered_to_whoever_sends_them(live: Live) -> None:
    for given in REFUSED:
        query = {"query": operation("Viewer")}
        assert (await live.http.post("/graphql", json=query, headers=given)).status_code == 200
        assert (await live.http.get("/pipelines", headers=given)).status_code == 200


async def test_listed_origins_may_change_things(sqlite_url: str) -> None:
    async with clients.live(sqlite_url, cors_origins=LISTED) as live:
        id = (await live.api.create())["id"]
        for name, change in changes(id).items():
            given = {"origin": LISTED, "sec-fetch-site": "cross-site"}
            assert (await sent(live.http, change, given, live.url)).status_code != 403, name


async def test_a_key_is_no_browsers_to_send(store: KeyStore, sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live:
        live.http.headers["x-api-key"] = await store.create("ours")
        for change in (changes("none")["create"], changes("none")["mutation"]):
            given = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
            assert (await sent(live.http, change, given, live.url)).status_code in (200, 201)


async def test_sockets_go_by_the_same_rule(live: Live) -> None:
    query = "{ viewer { organizationId } }"
    for given in ({"Sec-Fetch-Site": "same-origin"}, {}):
        async with clients.socket(live.url, additional_headers=given) as socket:
            await socket.subscribe(query)
            assert await socket.next() == {"organizationId": "local"}
    with pytest.raises(Exception, match="403"):
        async with clients.socket(live.url, additional_headers={"Sec-Fetch-Site": "cross-site"}):
            pass
