"""Behind nginx, set up for WebSockets as its manual says: https://nginx.org/en/docs/http/websocket.html"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path

import httpx
import orjson
import pytest

from tests import servers
from tests.schema.requests import creating
from tests.schema.subscriptions import clients
from tests.server.framed import CASES, UPGRADES, post

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (Debian: nginx-light)")

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    upstream voltgraph {{ server 127.0.0.1:{backend}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location /pipelines {{ return 403; }}
        location / {{
            proxy_pass http://voltgraph;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host localhost;
            proxy_request_buffering {buffering};
        }}
    }}
}}
"""
HIDDEN = post(body=orjson.dumps(creating()))
HIDDEN_REST = b"GET /pipelines HTTP/1.1\r\nhost: localhost\r\n\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def backend(fast_path: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    file = tmp_path_factory.mktemp("behind") / "behind.db"
    with servers.serving(f"sqlite:///{file}", VOLTGRAPH_FAST_PATH=str(fast_path)) as server:
        yield server


@pytest.fixture(scope="module", params=["on", "off"], ids=["bodies first", "bodies as they come"])
def proxy(
    request: pytest.FixtureRequest, backend: servers.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Return the port of an nginx that refuses `/pipelines` and passes all other paths on."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    file = folder / "nginx.conf"
    ports = {"backend": backend.url.rpartition(":")[2], "port": port}
    file.write_text(CONFIGURATION.format(folder=folder, buffering=request.param, **ports))
    with subprocess.Popen(["nginx", "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log")]) as process:
        try:
            until_ready(port, folder)
            yield port
        finally:
            servers.stop(process)


def until_ready(port: int, folder: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError((folder / "error.log").read_text())


def said(port: int, *pieces: bytes) -> bytes:
    """Read until no data arrive for a while."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, suppress(OSError):
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.02)
        client.settimeout(1)
        while more := client.recv(2**16):
            got += more
    return got


def all_said(port: int, sent: list[tuple[bytes, ...]]) -> list[bytes]:
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(lambda pieces: said(port, *pieces), sent))


def stored(server: servers.Server) -> int:
    query = {"query": "{ pipelines { totalCount } }"}
    answer = httpx.post(f"{server.url}/graphql", json=query, trust_env=False, timeout=20)
    count: int = answer.json()["data"]["pipelines"]["totalCount"]
    return count


def test_the_proxy_refuses_what_it_is_told_to(proxy: int) -> None:
    assert said(proxy, HIDDEN_REST).startswith(b"HTTP/1.1 403 ")
    assert b'{"data":{"__typename":"Query"}}' in said(proxy, post())


def test_a_hidden_request_is_never_executed(proxy: int, backend: servers.Server) -> None:
    before, sent = stored(backend), []
    for upgrade, target, hidden in product(
        (b"h2c", b"websocket", b"foo"), (b"/graphql", b"/livez"), (HIDDEN, HIDDEN_REST)
    ):
        whole = post(b"connection: upgrade\r\nupgrade: %b\r\n" % upgrade, hidden, b"POST %b HTTP/1.1" % target)
        head = len(whole) - len(hidden)
        sent += [(whole,), (whole[:head], whole[head:]), (whole[:head], whole[head : head + 5], whole[head + 5 :])]
    for answers in all_said(proxy, sent):
        assert b"createPipeline" not in answers
        assert b'"pipelines"' not in answers
        assert answers.count(b"HTTP/1.1 ") == 1
    assert stored(backend) == before


def test_a_request_whose_upgrade_is_ignored_is_answered(proxy: int) -> None:
    for name, answers in zip(UPGRADES, all_said(proxy, [(data,) for data in UPGRADES.values()]), strict=True):
        assert b'{"data":{"__typename":"Query"}}' in answers, name


def test_no_framing_desynchronises_the_two(proxy: int, backend: servers.Server) -> None:
    before = stored(backend)
    odd = [case.data for name, case in CASES.items() if name.startswith(("length", "transfer encoding", "line"))]
    all_said(proxy, [(data + HIDDEN_REST,) for data in odd])
    plain = post(b"connection: close\r\n")
    for answers in all_said(proxy, [(plain,)] * 20):  # over all upstream connections that nginx keeps open
        assert answers.endswith(b'{"data":{"__typename":"Query"}}')
    assert stored(backend) == before


async def test_a_websocket_works(proxy: int) -> None:
    async with clients.socket(f"http://127.0.0.1:{proxy}") as opened:
        await opened.subscribe("{ viewer { organizationId } }")
        assert await opened.next() == {"organizationId": "local"}
