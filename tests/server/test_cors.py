"""CORS: requests from pages of other origins."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner
from websockets.exceptions import InvalidStatus

from app.cli.commands import cli
from app.server.cors import is_from_allowed_page
from app.settings import Settings
from tests.api import Api
from tests.schema.requests import GRAPHQL
from tests.schema.subscriptions import clients
from tests.sharing import in_process

LISTED, OTHER = "https://app.example", "https://evil.example"
ORIGINS = f"{LISTED}, http://localhost:3000"
VIEWER = {"query": "{ viewer { organizationId } }"}


@pytest.fixture
async def api(sqlite_url: str) -> AsyncIterator[Api]:
    async with in_process(sqlite_url, cors_origins=ORIGINS) as api:
        yield api


@pytest.mark.parametrize("path", ["/graphql", "/pipelines"])
async def test_a_preflight_of_a_listed_page_is_answered(api: Api, path: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key"}
    answer = await api.http.options(path, headers={"origin": LISTED, **asked})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type,x-api-key"
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers
    refused = await api.http.options(path, headers={"origin": OTHER, **asked})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


async def test_answers_and_refusals_may_be_read_by_listed_pages_only(api: Api) -> None:
    for origin, told in ((LISTED, LISTED), (OTHER, None), (LISTED + ".evil.example", None), ("null", None)):
        headers = {"origin": origin}
        for answer, status in (
            (await api.http.post("/graphql", json=VIEWER, headers=headers), 200),
            (await api.http.post("/graphql", json={"query": "{"}, headers=headers | {"accept": GRAPHQL}), 400),
            (await api.http.post("/graphql", json=VIEWER, headers=headers | {"accept": "text/event-stream"}), 200),
            (await api.http.get("/pipelines", headers=headers), 200),
            (await api.http.get("/pipelines/x", headers=headers), 404),
            (await api.http.get("/nowhere", headers=headers), 404),
            (await api.http.get("/pipelines", headers=headers | {"host": "elsewhere.example"}), 403),
        ):
            assert answer.status_code == status
            assert answer.headers.get("access-control-allow-origin") == told
            assert "access-control-allow-credentials" not in answer.headers
            assert "Origin" in answer.headers["vary"]
            if told:
                exposed = answer.headers["access-control-expose-headers"].split(", ")
                assert {"Retry-After", "X-Request-Id", "Location"} <= set(exposed)


async def test_what_negotiation_varies_by_stays(api: Api) -> None:
    answer = await api.http.post("/graphql", json=VIEWER, headers={"origin": LISTED})
    assert answer.headers["vary"] == "accept, accept-encoding, Origin"


async def test_a_fault_of_ours_may_be_read_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pipelines.repository.pipeline", None)  # None, so that a call raises
    answer = await api.http.get("/pipelines/x", headers={"origin": LISTED})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, LISTED)


async def test_without_the_setting_no_page_is_told_anything(sqlite_url: str) -> None:
    async with in_process(sqlite_url) as api:
        preflight = {"origin": LISTED, "access-control-request-method": "POST"}
        for answer in (
            await api.http.options("/graphql", headers=preflight),
            await api.http.options("/pipelines", headers=preflight),
            await api.http.post("/graphql", json=VIEWER, headers={"origin": LISTED}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_any_origin_is_let_in_without_credentials(sqlite_url: str) -> None:
    async with in_process(sqlite_url, cors_origins="*") as api:
        answer = await api.http.post("/graphql", json=VIEWER, headers={"origin": OTHER, "cookie": "a=b"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


async def test_sockets_are_for_the_same_origin_and_listed_ones(sqlite_url: str) -> None:
    async with clients.live(sqlite_url, cors_origins=ORIGINS) as live:
        for origin in (live.url, LISTED, "http://localhost:3000"):
            async with clients.socket(live.url, origin=origin) as socket:
                await socket.subscribe(VIEWER["query"])
                assert await socket.next() == {"organizationId": "local"}
        for origin in (OTHER, "null", "https://localhost:3000"):
            with pytest.raises(InvalidStatus):
                async with clients.socket(live.url, origin=origin):
                    pass


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("https://app.example/", "write 'https://app.example'"),
        ("https://app.example:443", "write 'https://app.example'"),
        ("HTTPS://App.example", "write 'https://app.example'"),
        ("https://user@app.example", "write 'https://app.example'"),
        ("https://*.example", "wildcard"),
        ("app.example", "no origin"),
        ("null", "no origin"),
        ("file:///page.html", "no origin"),
        ("https://a.example:port", "no origin"),
        ("https://a.example, *", "leave out the others"),
    ],
)
def test_what_no_browser_sends_is_refused(value: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(cors_origins=value)
    [error] = refused.value.errors()
    assert said in error["msg"]


def test_origins_are_taken_as_they_are() -> None:
    taken = Settings(cors_origins="https://a.example,http://[::1]:3000, ,http://10.0.0.1").origins
    assert taken == {"https://a.example", "http://[::1]:3000", "http://10.0.0.1"}


def test_wrong_settings_stop_the_start_and_all_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTGRAPH_CORS_ORIGINS", "nonsense,https://b.example/x")
    monkeypatch.setenv("VOLTGRAPH_PORT", "-1")
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == 2
    for said in ("VOLTGRAPH_CORS_ORIGINS", "'nonsense'", "'https://b.example/x'", "VOLTGRAPH_PORT"):
        assert said in result.output


def test_any_origin_needs_keys(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTGRAPH_CORS_ORIGINS", "*")
    monkeypatch.setenv("VOLTGRAPH_DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == 2
    assert "no API key exists" in result.output


@pytest.mark.parametrize("origin", [b"http://[::1", b"\xe9", b"http://\xe9.example", b"", b"null"])
def test_an_origin_that_no_browser_sends_is_another_page(origin: bytes) -> None:
    assert not is_from_allowed_page({b"origin": origin, b"host": b""}, ())
    assert not is_from_allowed_page({b"origin": origin, b"host": origin}, ())
