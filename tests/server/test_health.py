"""Health endpoints: liveness and readiness."""

import asyncio
import signal
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from app import __version__
from app.auth.keys import KeyStore
from app.database.sqlite.database import Sqlite
from app.models.columns import now
from app.models.tables import Pulse
from app.server.observability import health
from tests.api import Api
from tests.auth.conftest import store
from tests.servers import serving
from tests.sharing import in_process

__all__ = ["store"]


async def test_a_server_that_writes_is_ready(api: Api) -> None:
    answer = await api.http.get("/livez")
    assert (answer.status_code, answer.text) == (200, f"ok, voltgraph {__version__}")
    answer = await api.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_the_official_client_is_told_in_json(api: Api) -> None:
    answer = await api.http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["content-type"] == "application/json"


async def test_who_asks_often_causes_one_write(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api._database is not None
    writes = 0
    write = api._database.write

    async def counted(work):  # type: ignore[no-untyped-def]
        nonlocal writes
        writes += 1
        return await write(work)

    monkeypatch.setattr(api._database, "write", counted)
    answers = await asyncio.gather(*(api.http.get("/readyz") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert writes == 1


async def test_a_read_that_does_not_see_the_newest_write_is_not_ready(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The probe uses the connection and the path of plans, because a snapshot left open there once gave wrong
    answers."""
    database: Any = api._database
    monkeypatch.setattr(health, "BELIEVED", 0.0)
    assert (await api.http.get("/readyz")).status_code == 200
    with monkeypatch.context() as patched:
        if isinstance(database, Sqlite):
            database._plain._let_go()
            patched.setattr(database._plain, "_let_go", lambda: None)
            await api.post("{ pipelines { totalCount } }")
        else:
            patched.setattr(database._plain, "run", run_at(datetime(2000, 1, 1, tzinfo=UTC)))
        assert (await api.http.get("/readyz")).status_code == 503
    assert "StaleRead" in caplog.text
    if isinstance(database, Sqlite):
        database._plain._let_go()
    assert (await api.http.get("/readyz")).status_code == 200


def run_at(at: datetime) -> Any:
    """Open an old snapshot in the reader."""

    async def run(begin: Any, _: object) -> Any:
        steps = begin()
        next(steps)
        with pytest.raises(StopIteration) as done:
            steps.send([[at]])
        return done.value.value

    return run


async def test_pulses_go_on_where_another_process_clock_is_ahead(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BELIEVED", 0.0)
    ahead = now() + timedelta(hours=1)
    monkeypatch.setattr(health, "now", lambda: ahead)
    assert (await api.http.get("/readyz")).status_code == 200
    monkeypatch.undo()
    monkeypatch.setattr(health, "BELIEVED", 0.0)
    for tick in range(1, 4):
        assert (await api.http.get("/readyz")).status_code == 200
        assert api._database is not None
        async with api._database.read() as session:
            assert (await session.exec(select(Pulse.at))).one() == ahead + tick * health.TICK


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
async def test_who_asks_whether_the_process_lives_may_use_any_name(api: Api, path: str) -> None:
    assert (await api.http.get(path, headers={"host": "10.1.2.3"})).status_code == 200


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/openapi.json", "/pipelines", "/nowhere"])
async def test_a_server_without_keys_answers_only_to_names_of_its_machine(api: Api, path: str) -> None:
    for host in ("10.1.2.3", "rebound.evil.example", "localhost.evil.example", "localhost@evil.example", ""):
        answer = await api.http.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN"), host
        assert "voltgraph_" not in answer.text
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "app.localhost"):
        assert (await api.http.get(path, headers={"host": host})).status_code in (200, 404), host


async def test_a_server_that_serves_anyone_answers_under_any_name(sqlite_url: str) -> None:
    async with in_process(sqlite_url, allow_anyone=True) as api:
        for path in ("/readyz", "/metrics", "/openapi.json"):
            assert (await api.http.get(path, headers={"host": "10.1.2.3"})).status_code == 200


async def test_a_server_with_keys_answers_probes_under_any_name(store: KeyStore, sqlite_url: str) -> None:
    await store.create("ours")
    async with in_process(sqlite_url) as api:
        for path in ("/readyz", "/metrics", "/openapi.json"):
            assert (await api.http.get(path, headers={"host": "10.1.2.3"})).status_code == 200


def test_a_locked_database_is_not_ready_and_then_is(sqlite_url: str) -> None:
    with serving(sqlite_url) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=20) as http:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        answer = http.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert time.monotonic() - start < health.PATIENCE + 1
        assert http.get("/livez").status_code == 200
        other.execute("ROLLBACK")
        other.close()
        until_ready(http)


def until_ready(http: httpx.Client) -> None:
    end = time.monotonic() + 5 + health.BELIEVED
    while http.get("/readyz").status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_is_about_to_end_is_not_ready_and_still_answers(sqlite_url: str) -> None:
    with serving(sqlite_url, VOLTGRAPH_DRAIN_DELAY="3") as server:
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            assert http.get("/readyz").status_code == 200
            server.process.send_signal(signal.SIGTERM)
            end = time.monotonic() + 1
            while http.get("/readyz").status_code == 200:
                assert time.monotonic() < end
            assert http.post("/graphql", json={"query": "{ viewer { organizationId } }"}).status_code == 200
            assert http.get("/livez").status_code == 200
        server.process.wait(10)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/livez", trust_env=False)
