"""ARCHITECTURE.md says what is there: its table of folders, its layers, and every module that it names."""

from __future__ import annotations

import ast
import re

from tests.api import ROOT
from tests.architecture.modules import modules, tree
from tests.architecture.test_layers import LAYERS

PAGE = (ROOT / "ARCHITECTURE.md").read_text()


def section(heading: str) -> str:
    """The text below a heading of the second level."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_table_lists_all_folders_with_their_docstrings() -> None:
    rows = re.findall(r"^\| `([^`]+)/` \| (.+) \|$", section("Folders"), re.MULTILINE)
    packages = [name for name, file in modules().items() if file.name == "__init__.py"]
    described = {name.replace(".", "/"): ast.get_docstring(tree(name)) or "" for name in packages}
    assert [folder for folder, _ in rows] == sorted(described)
    for folder, text in rows:
        assert " ".join(described[folder].split()).startswith(text), folder


def test_the_layers_are_those_of_the_test() -> None:
    shown = [line.split(", ") for line in section("Layers").partition("```\n")[2].partition("\n```")[0].splitlines()]
    assert shown == [list(each) for each in LAYERS if each != ("app.__main__",)]


def test_every_module_that_it_names_exists() -> None:
    text = PAGE.replace(section("Folders"), "")
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`", text)
    places = [ROOT, ROOT / "app", ROOT / "schema"]
    assert len(named) > 40
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
