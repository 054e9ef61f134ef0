"""The tutorial: its commands run in order, in a folder that holds only the example, and print what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api import ROOT
from tests.architecture.test_pages import ID, Step, sessions

PAGE = ROOT / "docs" / "tutorial.md"
NUMBER = re.compile(r"(?<![\w.])\d+\.?\d*(?:e[-+]?\d+)?")
TOLERANCE = 0.02
"""Relative tolerance of numbers: solvers differ in the last digits from machine to machine."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "discharge.csv").write_bytes((ROOT / "examples" / "discharge.csv").read_bytes())
    return tmp_path


def run(command: str, folder: Path) -> str:
    environment = os.environ | {"COLUMNS": "120", "PYTHONPATH": str(ROOT)}
    environment["VOLTGRAPH_DATABASE_URL"] = f"sqlite:///{folder}/tutorial.db"
    command = command.replace(".venv/bin/voltgraph", f"{sys.executable} -m voltgraph")
    ran = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=folder, env=environment, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def require_shown(output: str, shown: str) -> None:
    """Require each line of the page in the output, in order; numbers may differ by the tolerance."""
    lines = iter(output.split("\n"))
    for line in shown.split("\n"):
        assert any(is_alike(line, each) for each in lines), f"{line!r} is not in {output}"


def is_alike(shown: str, printed: str) -> bool:
    shape = [" ".join(NUMBER.sub("#", text).split()) for text in (shown, printed)]
    shape = [re.sub("━+", "━", re.sub("─+", "─", text)) for text in shape]
    numbers = [[float(each) for each in NUMBER.findall(text)] for text in (shown, printed)]
    if shape[0] != shape[1]:
        return False
    return all(a == pytest.approx(b, rel=TOLERANCE) for a, b in zip(*numbers, strict=True))


def test_numbers_and_texts_are_compared() -> None:
    assert is_alike("│ x [V] │ 6.0018e-15 │ ± 2.5e-18 │", "│ x [V]  │ 6.00181e-15 │ ± 2.5e-18  │")
    assert not is_alike("cost 1.25e-05", "cost 1.35e-05")
    assert not is_alike("COMPLETED", "FAILED")


def test_the_commands_of_the_tutorial_print_what_it_shows(folder: Path) -> None:
    pytest.importorskip("ionworksdata", reason="needs the extra `data`")
    steps: list[Step] = [step for session in sessions(PAGE) for step in session]
    installing, *others = steps
    assert installing == ("make .venv/run", "")
    assert re.search(r"^\$\(VENV\)/run ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    real: dict[str, str] = {}
    for command, shown in others:
        for pretended, id in real.items():
            command = command.replace(pretended, id)
        output = run(command, folder)
        for pretended, id in zip(ID.findall(shown), ID.findall(output), strict=False):
            real[pretended] = id
            output = output.replace(id, pretended)
        require_shown(output, shown)
    assert (folder / "discharge.png").read_bytes().startswith(b"\x89PNG")


def test_the_example_is_what_its_script_makes(tmp_path: Path) -> None:
    pytest.importorskip("pybamm", reason="needs the extra `battery`")
    script = [sys.executable, str(ROOT / "examples" / "make_discharge.py"), str(tmp_path / "made.csv")]
    subprocess.run(script, check=True, timeout=120)
    made, kept = (
        (each).read_text().split("\n") for each in (tmp_path / "made.csv", ROOT / "examples" / "discharge.csv")
    )
    assert made[0] == kept[0]
    for one, other in zip(made[1:-1], kept[1:-1], strict=True):
        assert [float(each) for each in one.split(",")] == pytest.approx(
            [float(each) for each in other.split(",")], abs=2e-5
        )
