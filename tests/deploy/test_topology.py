"""Topology of the compose file as processes: PostgreSQL 15, nginx with TLS, two APIs and two workers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import make_url
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.api import ROOT
from tests.deploy.conftest import BIN
from tests.deploy.test_files import nginx
from tests.execution.conftest import FAKE, Runs
from tests.server.test_nginx import free_port
from tests.servers import Server, serving, stop, working

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (Debian: nginx-light)"),
]
WATCH = "subscription ($id: ID!) { pipelineUpdated(id: $id) { status } }"
WORKER = {"VOLTGRAPH_WORKER_TIMEOUT": "6", "VOLTGRAPH_WORKERS": "2"}


@dataclass(frozen=True, slots=True)
class Topology:
    """Processes of an installation, and the address at nginx."""

    address: str
    certificate: Path
    key: str
    database: str
    apis: list[Server]
    workers: list[subprocess.Popen[str]]

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key}

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"https://{self.address}", headers=self.headers, verify=self.trust, timeout=30, trust_env=False
        )


def command(*arguments: str, database: str) -> str:
    """Return what a command of Voltgraph prints."""
    environment = os.environ | {"VOLTGRAPH_DATABASE_URL": database}
    line = [sys.executable, "-m", "voltgraph", *arguments]
    return subprocess.run(line, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def topology(postgres_15: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    folder, port = tmp_path_factory.mktemp("topology"), free_port()
    command("migrate", database=postgres_15)
    key = command("keys", "create", "--organization", "lab", database=postgres_15)
    with ExitStack() as stack:
        apis = [stack.enter_context(serving(postgres_15)) for _ in range(2)]
        workers = [stack.enter_context(working(postgres_15, **(FAKE | WORKER))) for _ in range(2)]
        configuration = nginx(folder, port, [int(api.url.rpartition(":")[2]) for api in apis])
        folder.chmod(0o755)
        proxy = stack.enter_context(subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL))
        stack.callback(stop, proxy)
        made = Topology(f"localhost:{port}", folder / "certificate.pem", key, postgres_15, apis, workers)
        _until_it_answers(made)
        yield made


def _until_it_answers(made: Topology) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            answer = httpx.get(f"https://{made.address}/livez", verify=made.trust, trust_env=False)
            assert answer.status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < end
            time.sleep(0.1)


async def statuses(made: Topology, id: str) -> AsyncGenerator[str, None]:
    """Yield the statuses of a pipeline, as a WebSocket through nginx receives them."""
    protocol = [Subprotocol("graphql-transport-ws")]
    async with connect(f"wss://{made.address}/graphql", subprotocols=protocol, ssl=made.trust, proxy=None) as socket:
        await socket.send(orjson.dumps({"type": "connection_init", "payload": made.headers}).decode())
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": WATCH, "variables": {"id": id}}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        yield "subscribed"
        async for message in socket:
            told = orjson.loads(message)
            if told["type"] == "next":
                yield told["payload"]["data"]["pipelineUpdated"]["status"]


async def events(made: Topology, id: str) -> list[str]:
    """Return the statuses that an event stream through nginx sends until the pipeline is completed."""
    found: list[str] = []
    body = {"query": WATCH, "variables": {"id": id}}
    accept = {"accept": "text/event-stream"}
    async with made.client() as http, http.stream("POST", "/graphql", json=body, headers=accept) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: {"):
                data: dict[str, Any] = orjson.loads(line.removeprefix("data: "))
                found.append(data["data"]["pipelineUpdated"]["status"])
                if found[-1] == "COMPLETED":
                    return found
    return found


async def test_a_run_is_watched_through_nginx(topology: Topology) -> None:
    await watch_run(topology)


async def watch_run(topology: Topology) -> None:
    """Watch a run through the proxy, over a WebSocket and by an event stream."""
    async with asyncio.timeout(60), topology.client() as http:
        runs = Runs(http)
        id = await runs.make({"steps": 5, "seconds": 2}, {}, kind="DATA_FIT")
        watching = statuses(topology, id)
        assert await anext(watching) == "subscribed"
        streaming = asyncio.create_task(events(topology, id))
        await asyncio.sleep(1)
        await runs.run("StartPipeline", id=id)
        seen = []
        async for status in watching:
            seen.append(status)
            if status == "COMPLETED":
                break
        await watching.aclose()
        assert seen[:2] == ["PENDING", "RUNNING"]
        assert (await streaming)[-1] == "COMPLETED"


async def upload(http: httpx.AsyncClient, size: int) -> None:
    """Upload a measurement file through the proxy. Bodies of other addresses have a lower limit."""
    variables = {"input": {"projectId": "p", "name": "long", "fileName": "long.csv", "bytes": size}}
    query = (ROOT / "queries" / "CreateMeasurement.graphql").read_text()
    made = (await http.post("/graphql", json={"query": query, "variables": variables})).json()
    target = made["data"]["createMeasurement"]["upload"]
    answer = await http.put(target["url"], content=b"0" * size, headers=target["headers"], timeout=60)
    assert answer.status_code == 200, answer.text
    try:
        refused = await http.post("/graphql", content=b" " * size, headers={"content-type": "application/json"})
    except httpx.TransportError:  # a proxy may close the connection while the client still sends
        return
    assert refused.status_code == 413


async def test_nginx_keeps_metrics_to_itself_and_asks_for_keys(topology: Topology) -> None:
    async with topology.client() as http:
        assert (await http.get("/metrics")).status_code == 403
        assert (await http.get("/pipelines", headers={"x-api-key": "vg_wrong"})).status_code == 401
        assert (await http.get("/", headers={"accept": "text/html"})).headers["location"] == "console"
        long = "x" * (3 << 20)
        answer = await http.post("/graphql", json={"query": "{ __typename }", "variables": {"long": long}})
        assert answer.status_code == 200, answer.text
        await upload(http, 20_000_000)


def test_a_backup_is_restored_with_the_commands_of_the_page(topology: Topology, tmp_path: Path) -> None:
    body = {"project_id": "cells", "elements": {"a": {"element_type": "entry", "values": {"v": 1}}}}
    place = f"https://{topology.address}/pipelines"
    made = httpx.post(place, json=body, headers=topology.headers, verify=topology.trust, trust_env=False)
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    url = make_url(topology.database)
    page = (ROOT / "docs" / "hosting" / "backup.md").read_text()
    [commands] = re.findall(r"^```sh\n(pg_dump .*?)^```$", page, re.MULTILINE | re.DOTALL)
    commands = commands.replace("-h HOST", f"-h 127.0.0.1 -p {url.port}")
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-ec", commands], check=True, cwd=tmp_path, env=environment)
    restored = url.set(database="restored").render_as_string(hide_password=False)
    with serving(restored) as server:
        found = httpx.get(f"{server.url}/pipelines/{id}", headers=topology.headers, trust_env=False)
        assert found.json()["id"] == id


async def test_a_killed_api_and_a_killed_worker_lose_nothing(topology: Topology) -> None:
    async with asyncio.timeout(120), topology.client() as http:
        runs = Runs(http)
        ids = [await runs.start({"seconds": 8}) for _ in range(2)]
        for id in ids:
            await runs.at_work(id)
        for process in (topology.apis[0].process, topology.workers[0]):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        more = [await runs.start({"seconds": 0.1}) for _ in range(4)]
        ended = [await runs.end(id, 60) for id in (*ids, *more)]
        assert {pipeline["status"] for pipeline in ended} == {"COMPLETED"}
