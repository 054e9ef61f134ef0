"""Command `python -m app export`: parameter values of a pipeline, from a server and from a database file."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import httpx
import pytest

from tests.api import ROOT, operation
from tests.servers import serving

VALUES = {"Electrode area [m2]": 0.1027, "Number of cells": 3}
UNKNOWN = "00000000-0000-0000-0000-000000000001"
ENTRY = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": VALUES}}]


class Stored(NamedTuple):
    """Database with a completed and a pending pipeline, and the server over it."""

    database: str
    url: str
    completed: str
    pending: str


def send(url: str, name: str, **variables: Any) -> Any:
    body = {"query": operation(name), "variables": variables}
    [payload] = httpx.post(f"{url}/graphql", json=body, timeout=60).json()["data"].values()
    return payload


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    database = f"sqlite:///{tmp_path_factory.mktemp('export')}/export.db"
    with serving(database, VOLTGRAPH_WORKERS="1") as server:
        input = {"projectId": "p", "name": "cell", "elements": ENTRY}
        pending, completed = (send(server.url, "CreatePipeline", input=input)["pipeline"]["id"] for _ in range(2))
        send(server.url, "StartPipeline", id=completed)
        while send(server.url, "Pipeline", id=completed)["status"] == "RUNNING":
            sleep(0.2)
        yield Stored(database, server.url, completed, pending)


def export(*arguments: str, database: str = "") -> tuple[int, str, str]:
    more = {"VOLTGRAPH_DATABASE_URL": database} if database else {}
    line = [sys.executable, "-W", "error", "-m", "app", "export", *arguments]
    environment = os.environ | {"COLUMNS": "200"} | more
    ran = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=180, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def values(text: str) -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in csv.DictReader(io.StringIO(text))}


def test_csv_goes_to_standard_output(stored: Stored) -> None:
    code, out, err = export(stored.completed, "--format", "csv", "--server", stored.url)
    assert (code, values(out)) == (0, VALUES), err


def test_a_folder_gets_a_file_that_pybamm_reads(stored: Stored, tmp_path: Path) -> None:
    pybamm = pytest.importorskip("pybamm")
    code, out, err = export(stored.completed, "-o", str(tmp_path), "--server", stored.url)
    assert (code, out) == (0, ""), err
    [file] = tmp_path.iterdir()
    assert str(file) in err.replace("\n", "")
    read = pybamm.ParameterValues.from_json(str(file))
    assert {name: read[name] for name in VALUES} == VALUES


def test_bpx_lists_what_it_does_not_hold(stored: Stored, tmp_path: Path) -> None:
    file = tmp_path / "cell.bpx.json"
    code, _, err = export(stored.completed, "--format", "BPX", "-o", str(file), "--server", stored.url)
    assert code == 0, err
    held = json.loads(file.read_text())["Parameterisation"]
    assert held["User-defined"]["Number of cells"] == VALUES["Number of cells"]
    assert "Separator" in err


def test_a_database_file_gives_the_same_as_its_server(stored: Stored) -> None:
    """The server holds the file: the command finds the server by it."""
    code, out, err = export(stored.completed, "--format", "csv", database=stored.database)
    assert (code, values(out)) == (0, VALUES), err


@pytest.mark.parametrize(
    ("which", "arguments", "code", "message"),
    [
        ("unknown", [], 2, f"No pipeline has the id {UNKNOWN}."),
        ("pending", [], 2, "No element of the pipeline has completed"),
        ("completed", ["--format", "xml"], 2, "--format takes pybamm, bpx, csv, not xml."),
        ("completed", ["-o", "no/such/file"], 2, "The folder no/such of --output does not exist."),
    ],
)
def test_a_mistake_is_told_in_a_few_lines(
    stored: Stored, which: str, arguments: list[str], code: int, message: str
) -> None:
    id = {"unknown": UNKNOWN, "pending": stored.pending, "completed": stored.completed}[which]
    ended, out, err = export(id, *arguments, "--server", stored.url)
    assert (ended, out) == (code, "")
    assert message in err
    assert len(err.strip().splitlines()) <= 6
