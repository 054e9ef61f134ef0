"""Commands beside a running server of the same SQLite file: they use that server, whatever its port."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.cli.checks import doctor
from app.cli.commands import cli
from app.database.connect import FileInUse, database_url, exclusive, record_server, server_of
from tests.servers import Server, serving

FAKE = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor", "VOLTGRAPH_WORKERS": "1"}
SMALL = {"project_id": "p", "elements": {"a": {"element_type": "data_fit", "fake": {}, "values": {"v": 3}}}}
CSV = "Time (s),Current (A),Voltage (V)\n0,0,4.2\n1,-1,4.1\n2,-1,4.0\n3,-1,3.9\n"
FREE = "Positive particle diffusivity [m2.s-1]=1e-15..1e-13"


@dataclass(frozen=True, slots=True)
class Folder:
    """Folder of a newcomer, with a server of its database."""

    path: Path
    server: Server

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code of a command and what it prints."""
        with chdir(self.path):
            result = CliRunner().invoke(cli, arguments, env={"COLUMNS": "400"})
        return result.exit_code, result.output

    def names(self) -> list[str]:
        """Return the names of the pipelines of the server."""
        answer = httpx.post(
            f"{self.server.url}/graphql", json={"query": "{ pipelines { nodes { name } } }"}, timeout=30
        )
        return [node["name"] for node in answer.json()["data"]["pipelines"]["nodes"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("beside")
    (path / "small.json").write_text(json.dumps(SMALL))
    (path / "cell7.csv").write_text(CSV)
    with serving(f"sqlite:///{path}/voltgraph.db", **FAKE) as server:
        yield Folder(path, server)


def test_run_and_list_use_the_server(folder: Folder) -> None:
    code, out = folder.run("run", "small.json")
    assert code == 0, out
    assert f"voltgraph.db is in use by the server at {folder.server.url}" in out
    assert "small" in folder.names()
    code, out = folder.run("list")
    assert (code, "small" in out) == (0, True), out


def test_upload_check_and_fit_use_the_server(folder: Folder) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    code, out = folder.run("upload", "cell7.csv")
    assert code == 0, out
    [reference] = re.findall(r"db:[0-9a-f-]{36}", out)
    code, out = folder.run("fit", reference, "--cell", "Chen2020", "--free", FREE, "--save", "cell7.fit.json")
    assert code == 0, out
    assert "measurement: SPMe of Chen2020" in folder.names()
    code, out = folder.run("check", "cell7.fit.json")  # refers to the measurement, which only the server has
    assert (code, "no problems" in out) == (0, True), out


def test_a_command_that_needs_the_file_alone_is_refused_by_its_own_name(folder: Folder) -> None:
    for command in ("serve", "migrate"):
        code, out = folder.run(command, *(["--port", "0"] if command == "serve" else []))
        assert code == 3, out
        assert f"in use by the server at {folder.server.url}. Stop it, or give `voltgraph {command}` another" in out
        assert "--server" not in out


def test_doctor_finds_the_port_of_the_server(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "console", Console(width=400))  # the width of the usual one was read at its import
    _, out = folder.run("doctor")
    assert f"the server of this database listens at {folder.server.url}" in out


def test_another_file_has_no_server(folder: Folder) -> None:
    code, out = folder.run("migrate", "--database-url", "sqlite:///other.db")
    assert (code, "up to date" in out) == (0, True), out


def test_a_file_is_free_again_after_its_server_was_killed(tmp_path: Path) -> None:
    url = database_url(f"sqlite:///{tmp_path}/killed.db")
    with serving(f"sqlite:///{tmp_path}/killed.db") as server:
        assert server_of(url) == server.url
        server.process.kill()
        server.process.wait()
        assert server_of(url) is None
    with exclusive(url), pytest.raises(FileInUse, match=f"in use by the process {os.getpid()}") as caught:
        exclusive(url).__enter__()
    assert caught.value.server is None


def test_an_address_of_another_machine_is_not_used(tmp_path: Path) -> None:
    url = database_url(f"sqlite:///{tmp_path}/shared.db")
    with exclusive(url):
        record_server(url, "http://127.0.0.1:8000")
        assert server_of(url) == "http://127.0.0.1:8000"
        lock = tmp_path / "shared.db.lock"
        lock.write_text(lock.read_text().replace(os.uname().nodename, "container-7"))
        assert server_of(url) is None
        with pytest.raises(FileInUse, match="in use by a process of container-7"):
            exclusive(url).__enter__()
        lock.write_text("")  # a server of an older version
        with pytest.raises(FileInUse, match="in use by another process"):
            exclusive(url).__enter__()
