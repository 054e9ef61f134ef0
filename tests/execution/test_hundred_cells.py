"""The example of a hundred cells, with few of them against a real server."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import ROOT
from tests.servers import Server, serving

COUNT = {"query": "{ pipelines { totalCount } }"}
PARAMETER = "Positive particle diffusivity [m2.s-1]"


def run(server: Server, output: Path, *arguments: str) -> tuple[int, str]:
    line = [sys.executable, "-W", "error", str(ROOT / "examples" / "hundred_cells.py"), "--server", server.url]
    line += ["--output", str(output), *arguments]
    ran = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=540, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def read(file: Path) -> list[dict[str, Any]]:
    with file.open() as opened:
        return list(csv.DictReader(opened))


def test_each_cell_is_fitted_once_and_exported(sqlite_url: str, tmp_path: Path) -> None:
    pytest.importorskip("pybamm", reason="needs the extra `battery`")
    with serving(sqlite_url, VOLTGRAPH_WORKERS="2", VOLTGRAPH_MAX_QUEUED="1") as server:
        code, said = run(server, tmp_path / "cells.csv", "--cells", "2")
        assert code == 0, said
        assert f"{PARAMETER}: median " in said
        first = read(tmp_path / "cells.csv")
        assert [(row["cell"], row["status"]) for row in first] == [("cell 001", "COMPLETED"), ("cell 002", "COMPLETED")]
        values = [float(row[PARAMETER]) for row in first]
        assert values == pytest.approx([6e-15] * 2, rel=0.15)
        assert values[0] != values[1]
        assert all(0 < float(row["standard error"]) < 1e-15 for row in first)
        assert run(server, tmp_path / "again.csv", "--cells", "2")[0] == 0
        assert read(tmp_path / "again.csv") == first
        body = httpx.post(f"{server.url}/graphql", json=COUNT, timeout=30).json()
        assert body["data"]["pipelines"]["totalCount"] == 2


def test_a_cell_that_failed_is_named(sqlite_url: str, tmp_path: Path) -> None:
    """A server without battery software fails each fit."""
    with serving(sqlite_url, VOLTGRAPH_WORKERS="2", VOLTGRAPH_EXECUTOR="no.such:Executor") as server:
        code, said = run(server, tmp_path / "cells.csv", "--cells", "1")
        assert code == 1, said
        [row] = read(tmp_path / "cells.csv")
        assert (row["status"], row[PARAMETER]) == ("FAILED", "")
        assert f"voltgraph rerun {row['id']}" in said
