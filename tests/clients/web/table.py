"""Table of web clients and features, read from the documentation, and node, which runs its cells."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import NamedTuple

import pytest

from tests.api import ROOT

WEB = ROOT / "tests" / "clients" / "web"
INSTALLED = (WEB / "node_modules").is_dir()
needs_node = pytest.mark.skipif(
    not (shutil.which("node") and INSTALLED), reason="needs node, and `npm ci --prefix tests/clients/web`"
)


class Cell(NamedTuple):
    """A feature of a client, which is one file here."""

    client: str
    feature: str


def _rows() -> list[list[str]]:
    lines = [line for line in (WEB / "README.md").read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def _cells() -> list[Cell]:
    [_, *heads], _rule, *rows = _rows()
    clients = [re.search(r"\((.*)\.mjs\)", head) for head in heads]
    marks = [(client, feature, mark) for feature, *marks in rows for client, mark in zip(clients, marks, strict=True)]
    assert {mark for _, _, mark in marks} == {"yes", "no", ""}
    return [Cell(client[1], feature) for client, feature, mark in marks if client and mark]


CELLS = _cells()
CLIENTS = sorted({cell.client for cell in CELLS})


def node(*arguments: str) -> str:
    """Return the output of a run of `run.mjs`; its error fails the test."""
    command = ["node", str(WEB / "run.mjs"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
