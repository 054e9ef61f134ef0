"""Snippets for web clients in the documentation are the tested files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.api import ROOT
from tests.clients.web.table import CELLS, CLIENTS, WEB, needs_node, node

SHOWN = sorted((WEB / "readme").iterdir())


@needs_node
@pytest.mark.parametrize("client", CLIENTS)
def test_the_table_has_each_cell_that_is_tested(client: str) -> None:
    assert {cell.feature for cell in CELLS if cell.client == client} == set(json.loads(node(client)))


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.name)
def test_the_page_shows_the_file_that_is_tested(file: Path) -> None:
    page = (ROOT / "docs" / "clients.md").read_text()
    assert f"```{file.suffix[1:].replace('mjs', 'js')}\n{file.read_text()}```\n" in page


def test_versions_are_exact_and_the_lock_names_no_registry() -> None:
    wanted = json.loads((WEB / "package.json").read_text())["dependencies"]
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not [name for name, package in locked.items() if "resolved" in package]
