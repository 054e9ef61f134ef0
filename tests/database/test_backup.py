"""A backup is the database as it was at one moment."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
from tests.api import operation
from tests.servers import serving


def backup(url: str, target: Path) -> int:
    return CliRunner().invoke(cli, ["backup", str(target)], env={"VOLTGRAPH_DATABASE_URL": url}).exit_code


def created(http: httpx.Client) -> str:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"x": "y" * 1000}}}]
    body = {"query": operation("CreatePipeline"), "variables": {"input": {"projectId": "p", "elements": elements}}}
    answer = http.post("/graphql", json=body).json()
    id: str = answer["data"]["createPipeline"]["pipeline"]["id"]
    return id


def test_a_backup_under_load_is_a_beginning_of_what_was_acknowledged(sqlite_url: str, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    enough, stop = Event(), Event()

    def create(http: httpx.Client) -> None:
        while not stop.is_set():
            acknowledged.append(created(http))
            if len(acknowledged) == 200:
                enough.set()

    target = tmp_path / "copy.db"
    with (
        serving(sqlite_url) as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        creating = pool.submit(create, http)
        assert enough.wait(30)
        before = len(acknowledged)
        assert backup(sqlite_url, target) == 0
        after = len(acknowledged)
        stop.set()
        creating.result()
    with sqlite3.connect(target) as copy:
        kept = [id for (id,) in copy.execute("SELECT id FROM pipeline ORDER BY created_at, id")]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM pipeline_element").fetchone() == (len(kept),)
    copy.close()
    assert kept == acknowledged[: len(kept)]
    assert before <= len(kept) <= after + 1
    with serving(f"sqlite:///{target}") as server:
        page = httpx.get(f"{server.url}/pipelines", trust_env=False).json()
        assert page["total"] == len(kept)


def test_keys_are_copied(sqlite_url: str, tmp_path: Path) -> None:
    CliRunner().invoke(cli, ["keys", "create"], env={"VOLTGRAPH_DATABASE_URL": sqlite_url})
    target = tmp_path / "copy.db"
    assert backup(sqlite_url, target) == 0
    with serving(f"sqlite:///{target}") as server:
        assert httpx.get(f"{server.url}/pipelines", trust_env=False).status_code == 401


@pytest.mark.parametrize("there", ["copy.db", "copy.db.keys"])
def test_nothing_is_overwritten(sqlite_url: str, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    assert backup(sqlite_url, tmp_path / "copy.db") == 2
    assert (tmp_path / there).read_text() == "precious"


def test_there_must_be_a_database(tmp_path: Path) -> None:
    assert backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db") == 2
    assert list(tmp_path.iterdir()) == []
