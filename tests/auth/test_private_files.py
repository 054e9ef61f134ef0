"""File modes: databases, keys, backups and SQLite's own files are private from their creation."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.auth.private_files import create_private
from tests.servers import ROOT, serving

OPEN_TO_ALL = 0
"""Set a umask that removes no permission."""


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(OPEN_TO_ALL)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.is_file()}


def command(url: str, *arguments: str) -> None:
    line = [sys.executable, "-m", "app", *arguments]
    subprocess.run(line, cwd=ROOT, env=os.environ | {"VOLTGRAPH_DATABASE_URL": url}, check=True, capture_output=True)


def test_all_files_of_a_server_that_is_at_work_are_private(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with serving(url, VOLTGRAPH_WORKERS="1", VOLTGRAPH_EXECUTOR="app.execution.fake:FakeExecutor") as server:
        body = {"project_id": "p", "elements": {"a": {"element_type": "entry", "values": {}}}}
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
            id = http.post("/pipelines", json=body).json()["id"]
            assert http.post(f"/pipelines/{id}/start").status_code == 200
        command(url, "keys", "create")
        command(url, "backup", str(tmp_path / "copy.db"))
        found = modes(tmp_path)
    wanted = {"a.db", "a.db-wal", "a.db-shm", "a.db.lock", "a.db.keys", "copy.db", "copy.db.keys"}
    assert wanted <= found.keys()
    assert set(found.values()) == {0o600}, found


@pytest.mark.parametrize("arguments", [["migrate"], ["keys", "create"], ["keys", "list"]])
def test_a_command_creates_private_files(tmp_path: Path, arguments: list[str]) -> None:
    command(f"sqlite:///{tmp_path}/a.db", *arguments)
    assert set(modes(tmp_path).values()) == {0o600}


def test_the_file_is_private_before_anything_is_in_it(tmp_path: Path) -> None:
    create_private(tmp_path / "new")
    assert modes(tmp_path) == {"new": 0o600}
    assert (tmp_path / "new").read_bytes() == b""


def test_a_file_that_is_there_keeps_its_mode_and_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    (tmp_path / "old").chmod(0o640)
    create_private(tmp_path / "old")
    assert modes(tmp_path) == {"old": 0o640}
    assert (tmp_path / "old").read_text() == "kept"


def test_what_a_link_points_to_is_private(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    create_private(tmp_path / "link")
    assert modes(tmp_path)["target"] == 0o600


def test_where_no_file_can_be_created_sqlite_says_so(tmp_path: Path) -> None:
    create_private(tmp_path / "none" / "a.db")
    assert list(tmp_path.iterdir()) == []
