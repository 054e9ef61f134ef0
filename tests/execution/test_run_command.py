"""Command `python -m app run FILE`: runs a pipeline of a file and prints its results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.api import ROOT
from tests.execution.conftest import FAKE
from tests.servers import Server


def pipeline_file(folder: Path, *fakes: dict[str, Any]) -> Path:
    elements = {
        f"e{i}": {"element_type": "data_fit", "fake": fake, "values": {f"v{i}": i}} for i, fake in enumerate(fakes)
    }
    file = folder / "pipeline.json"
    file.write_text(json.dumps({"project_id": "p", "elements": elements}))
    return file


def command(file: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | FAKE | {"COLUMNS": "120"} | variables
    line = [sys.executable, "-W", "error", "-m", "app", "run", str(file), *options]
    return subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()  # one that does not end would be waited for without end
    return process.returncode, out


def wait_until_running(server: Server) -> None:
    """Wait for the first running pipeline."""
    end = time.monotonic() + 60
    query = {"query": "{ pipelines(filter: {statuses: [RUNNING]}) { nodes { id } } }"}
    while not httpx.post(f"{server.url}/graphql", json=query).json()["data"]["pipelines"]["nodes"]:
        assert time.monotonic() < end, "none runs"
        time.sleep(0.1)


def test_without_a_server_it_brings_its_own(tmp_path: Path, sqlite_url: str) -> None:
    file = pipeline_file(tmp_path, {}, {"steps": 4, "seconds": 1.5})
    code, out = outcome(command(file, VOLTGRAPH_DATABASE_URL=sqlite_url))
    assert code == 0, out
    assert "COMPLETED" in out
    assert "best cost" in out
    for part in ("e0", "e1", "v0", "v1"):
        assert part in out


def test_names_and_values_do_nothing_to_the_terminal(tmp_path: Path, sqlite_url: str) -> None:
    hostile = "[red]x[/red]\x1b[2J\u202e"
    elements = {hostile: {"element_type": "data_fit", "fake": {"fail": "SOLVER_ERROR", "message": hostile}}}
    elements["first" + hostile] = {"element_type": "data_fit", "fake": {}, "values": {hostile: hostile}}
    file = tmp_path / "hostile.json"
    file.write_text(json.dumps({"project_id": "p", "name": hostile, "elements": dict(reversed(elements.items()))}))
    code, out = outcome(command(file, VOLTGRAPH_DATABASE_URL=sqlite_url, COLUMNS="300"))
    assert code == 1, out
    assert out.count("[red]x[/red]\\x1b[2J\\u202e") >= 5, out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_it_drives_a_server(running: Server, tmp_path: Path) -> None:
    code, out = outcome(command(pipeline_file(tmp_path, {}, {"fail": "SOLVER_ERROR"}, {}), "--server", running.url))
    assert code == 1, out
    assert "SOLVER_ERROR e1: It was told to fail." in out
    assert "SKIPPED" in out


def test_ctrl_c_cancels(running: Server, tmp_path: Path) -> None:
    process = command(pipeline_file(tmp_path, {"seconds": 600}), "--server", running.url)
    wait_until_running(running)
    process.send_signal(signal.SIGINT)
    code, out = outcome(process)
    assert code == 1, out
    assert "CANCELED" in out


def test_what_is_wrong_is_said_with_its_place(running: Server, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"elements": {"fit": {"element_type": "fitt"}, "b": 1}}')
    code, out = outcome(command(file, "--server", running.url))
    assert code == 2
    assert "input.elementsByName.fit.element_type" in out
    assert "input.elementsByName.b" in out


def test_it_prints_how_well_values_are_known_and_what_to_look_at(running: Server, tmp_path: Path) -> None:
    result = {
        "type": "OptimizationResult",
        "parameter_values": {"D [m2.s-1]": 1.5e-14, "R [m]": 1e-5},
        "cost": 0.25,
        "success": False,
        "message": "[max] reached",
        "standard_errors": {"D [m2.s-1]": 2e-16},
        "uncertainty_absent": {"R [m]": "it ended at its upper bound"},
        "at_bounds": {"R [m]": "upper"},
        "warnings": [{"code": "POOR_FIT", "message": "The model [V] misses.", "objective": "1C"}],
    }
    code, out = outcome(command(pipeline_file(tmp_path, {"result": result}), "--server", running.url))
    assert code == 0, out
    text = " ".join(out.split())
    assert "± 2e-16" in text
    assert "at its upper bound" in text
    assert "e0: cost 0.25, not converged: [max] reached" in text
    assert "POOR_FIT e0, 1C: The model [V] misses." in text


def test_it_prints_every_element_that_is_refused(running: Server, tmp_path: Path) -> None:
    file = pipeline_file(tmp_path, {"refuse": "This is wrong."}, {}, {"refuse": "That is wrong."})
    code, out = outcome(command(file, "--server", running.url))
    assert code == 1, out
    assert out.count("CONFIGURATION_ERROR") == 2
    assert "CONFIGURATION_ERROR e0" in out
    assert "CONFIGURATION_ERROR e2" in out
    assert "fake.refuse: This is wrong." in out
    assert "fake.refuse: That is wrong." in out
