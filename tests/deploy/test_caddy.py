"""deploy/Caddyfile before a server: TLS by the authority of Caddy itself, WebSockets, event streams and uploads."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api import ROOT
from tests.deploy.test_topology import Topology, command, upload, watch_run
from tests.execution.conftest import FAKE
from tests.server.test_nginx import free_port
from tests.servers import serving, stop

pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed (Debian: caddy)")
OPTIONS = "{{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system {}\n}}\n"
"""Global options: files of Caddy below one folder, and no other port."""


def caddyfile(folder: Path, port: int, backend: str) -> Path:
    """Write deploy/Caddyfile with another address, authority and server."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    for old, new in (
        ("\nvoltgraph.example {\n", f"\nhttps://localhost:{port} {{\n\ttls internal\n"),
        ("127.0.0.1:8000", backend),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "Caddyfile"
    file.write_text(OPTIONS.format(folder / "storage") + text)
    return file


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    database = f"sqlite:///{folder}/voltgraph.db"
    key = command("keys", "create", "--organization", "lab", database=database)
    with serving(database, **(FAKE | {"VOLTGRAPH_WORKERS": "2"})) as server:
        file = caddyfile(folder, port, server.url.removeprefix("http://"))
        run = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
        log = folder / "log"
        with log.open("w") as errors, subprocess.Popen(run, stdout=errors, stderr=errors) as process:
            root = folder / "storage" / "pki" / "authorities" / "local" / "root.crt"
            made = Topology(f"localhost:{port}", root, key, database, [server], [])
            try:
                until_it_answers(made, process, log)
                yield made
            finally:
                stop(process)


def until_it_answers(made: Topology, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        try:
            if httpx.get(f"https://{made.address}/livez", verify=made.trust, trust_env=False).status_code == 200:
                return
        except (OSError, httpx.TransportError):  # no certificate yet, or no server
            time.sleep(0.1)


async def test_a_run_is_watched_through_caddy(proxied: Topology) -> None:
    await watch_run(proxied)


async def test_caddy_keeps_metrics_to_itself_asks_for_keys_and_takes_uploads(proxied: Topology) -> None:
    async with proxied.client() as http:
        assert (await http.get("/metrics")).status_code == 403
        assert (await http.get("/pipelines", headers={"x-api-key": "vg_wrong"})).status_code == 401
        assert (await http.get("/", headers={"accept": "text/html"})).headers["location"] == "console"
        await upload(http, 20_000_000)
