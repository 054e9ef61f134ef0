"""Probes and metrics of servers and workers on a port of their own."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.models.enums import PipelineStatus
from app.server.observability.exposition import MOST_ORGANIZATIONS, Exposition
from app.server.observability.health import BELIEVED, Health
from app.server.observability.listener import CannotListen, listening
from app.server.observability.metrics import Metrics
from app.settings import Settings
from tests import servers
from tests.api import Api


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def read(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a scrape by name and sorted label values."""
    families = text_string_to_metric_families(text)
    return {(each.name, *sorted(each.labels.values())): each.value for family in families for each in family.samples}


def scrape(port: int) -> dict[tuple[str, ...], float]:
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    assert answer.status_code == 200
    return read(answer.text)


def probe(port: int, path: str, **headers: str) -> int:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False, timeout=20).status_code


def stop(pid: int) -> None:
    """End PostgreSQL, which closes its connections."""
    os.kill(pid, signal.SIGINT)
    end = monotonic() + 20
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert monotonic() < end
        sleep(0.05)


def test_a_server_has_them_beside_its_api(sqlite_url: str) -> None:
    port = free_port()
    with servers.serving(sqlite_url, VOLTGRAPH_METRICS_PORT=str(port)) as server:
        httpx.post(f"{server.url}/graphql", json={"query": "query Mine { viewer { email } }"}, trust_env=False)
        found = scrape(port)
        assert found["voltgraph_requests_total", "Mine", "OK"] == 1
        assert found["voltgraph_database_up",] == 1
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        resident = 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
        assert 0.5 < found["process_resident_memory_bytes",] / resident < 2
        assert found["process_open_fds",] == pytest.approx(len(os.listdir(f"/proc/{server.process.pid}/fd")), abs=5)
        assert found["process_cpu_seconds_total",] > 0
        assert found["process_start_time_seconds",] > 1e9
        assert next(name for name in found if name[0] == "voltgraph_build_info")[1] not in ("", "unknown")
        assert [probe(port, path) for path in ("/livez", "/readyz", "/graphql", "/")] == [200, 200, 404, 404]
        assert probe(port, "/metrics", host="evil.example") == 403


def test_a_worker_has_them_also_while_the_database_is_away() -> None:
    port = free_port()
    with servers.postgres() as own:
        url = own.new_database()
        settings = {"VOLTGRAPH_METRICS_PORT": str(port), "VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor"}
        with servers.working(url, **settings):
            assert [probe(port, path) for path in ("/livez", "/readyz")] == [200, 200]
            up = scrape(port)
            assert (up["voltgraph_database_up",], up["voltgraph_queued_pipelines",]) == (1, 0)
            stop(own.pid)
            sleep(BELIEVED)
            assert [probe(port, path) for path in ("/livez", "/readyz")] == [200, 503]
            down = scrape(port)
            assert down["voltgraph_database_up",] == 0
            assert down["process_cpu_seconds_total",] > 0
            assert ("voltgraph_queued_pipelines",) not in down
            own.restart()


async def test_the_api_tells_its_metrics_while_the_database_is_away(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr("app.pipelines.repository.at_work", refuse)
    answer = await api.http.get("/metrics")
    assert answer.status_code == 200
    assert read(answer.text)["voltgraph_database_up",] == 0
    assert "voltgraph_running_pipelines" not in answer.text
    assert [record.exc_info for record in caplog.records if "unavailable" in record.message] == [None]


async def test_queue_is_told_by_status_and_organization(api: Api) -> None:
    for number in range(3):
        id = (await api.create(name=str(number)))["id"]
        await api.set_status(id, PipelineStatus.RUNNING)

    async def change(session: Any) -> None:
        moved = "UPDATE pipeline SET worker_id = 'w', organization_id = 'other' WHERE name = '0'"
        await session.exec(text(moved))
        early = "UPDATE pipeline SET started_at = created_at"
        await session.exec(text(early))

    await api.write(change)
    found = read((await api.http.get("/metrics")).text)
    assert found["voltgraph_queue_pipelines", "queued"] == 2
    assert found["voltgraph_queue_pipelines", "running"] == 1
    assert 0 < found["voltgraph_queue_oldest_seconds", "queued"] < 60
    assert found["voltgraph_organization_pipelines", "local", "queued"] == 2
    assert found["voltgraph_organization_pipelines", "other", "running"] == 1


async def test_only_the_largest_organizations_have_labels(api: Api) -> None:
    for number in range(MOST_ORGANIZATIONS + 5):
        await api.set_status((await api.create(name=str(number)))["id"], PipelineStatus.RUNNING)

    async def change(session: Any) -> None:
        await session.exec(text("UPDATE pipeline SET organization_id = name"))

    await api.write(change)
    found = read((await api.http.get("/metrics")).text)
    counts = {name[1]: count for name, count in found.items() if name[0] == "voltgraph_organization_pipelines"}
    assert len(counts) == MOST_ORGANIZATIONS + 1
    assert counts["other"] == 5
    assert sum(counts.values()) == MOST_ORGANIZATIONS + 5


async def test_a_port_in_use_is_told(sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(database_url=sqlite_url, metrics_port=taken.getsockname()[1])
        async with open_database(parsed(sqlite_url), 100) as database:
            with pytest.raises(CannotListen, match="VOLTGRAPH_METRICS_PORT"):
                async with listening(settings, Metrics(), database, Health(database)):
                    pass


async def test_scrapes_in_one_second_read_the_database_once(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    async def counted(_: object) -> list[object]:
        nonlocal reads
        reads += 1
        return []

    monkeypatch.setattr("app.pipelines.repository.at_work", counted)
    async with open_database(parsed(sqlite_url), 100) as database:
        exposition = Exposition(Metrics(), database)
        for _ in range(5):
            assert b"voltgraph_database_up 1.0" in await exposition.text()
    assert reads == 1
