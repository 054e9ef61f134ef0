"""Command `python -m app upload FILE`: uploads a measurement, and prints its reference."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import ROOT
from tests.servers import Server, serving

CSV = "Time (s),Current (A),Voltage (V)\n0,0,4.2\n1,-1,4.1\n2,-1,4.0\n3,-1,3.9\n"
REFERENCE = re.compile(r"db:([0-9a-f-]{36})")


def upload(folder: Path, *arguments: str, database: str = "") -> tuple[int, str]:
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    environment["VOLTGRAPH_DATABASE_URL"] = database or f"sqlite:///{folder}/upload.db"
    command = [sys.executable, "-W", "error", "-m", "app", "upload", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    file = tmp_path / "cell 7.csv"
    file.write_text(CSV)
    return file


def test_without_a_server_it_brings_its_own(file: Path) -> None:
    code, out = upload(file.parent, str(file))
    assert code == 0, out
    assert REFERENCE.search(out)
    assert "4 rows." in out
    assert "`Current [A]` was reversed" in out
    assert re.search(r"Voltage \[V\] +│ 3.9 +│ 4.2 +│ 0", out)


def test_a_server_keeps_the_bytes_as_they_came(file: Path, database_url: str) -> None:
    with serving(database_url, VOLTGRAPH_WORKERS="1") as server:
        code, out = upload(file.parent, str(file), "--server", server.url, "--name", "first", "--project", "lab")
        assert code == 0, out
        match = REFERENCE.search(out)
        assert match
        read = measurement(server, match[1])
        assert (read["name"], read["projectId"], read["fileName"], read["rows"]) == ("first", "lab", "cell 7.csv", 4)
        address = httpx.URL(server.url).join(read["downloadUrl"])
        assert httpx.get(address, timeout=30).text == CSV


def measurement(server: Server, id: str) -> dict[str, Any]:
    query = "query($id: ID!) { measurement(id: $id) { name projectId fileName rows downloadUrl } }"
    answer = httpx.post(f"{server.url}/graphql", json={"query": query, "variables": {"id": id}}, timeout=30)
    found: dict[str, Any] = answer.json()["data"]["measurement"]
    return found


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_text("no table\n")
    code, out = upload(file.parent, str(file))
    assert code == 1, out
    assert "FAILED" in out
    assert "The text has no table" in out


def test_a_refusal_is_told(file: Path) -> None:
    code, out = upload(file.parent, str(file), "--cell", "none")
    assert code == 2, out
    assert "Refused" in out
