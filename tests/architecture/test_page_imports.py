"""Imports between the sources of the pages: no circle."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import app.server.pages

PAGES = Path(app.server.pages.__file__).parent
IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.[^"']*)["'];""", re.MULTILINE)
ENDINGS = ("", ".ts", ".tsx", ".js", ".jsx", "/index.ts", "/index.tsx")


def imported(file: Path) -> set[Path]:
    """Return the source files that a file imports when it is loaded."""
    places = [(file.parent / each).resolve() for each in IMPORT.findall(file.read_text())]
    found = {next((Path(f"{each}{end}") for end in ENDINGS if Path(f"{each}{end}").is_file()), None) for each in places}
    return {each for each in found if each is not None}


@pytest.mark.parametrize("page", ["console", "explorer"])
def test_the_sources_of_a_page_import_each_other_one_way(page: str) -> None:
    sources = [each for each in (PAGES / page / "src").rglob("*") if each.suffix in {".ts", ".tsx", ".js", ".jsx"}]
    graph = {each.resolve(): imported(each) for each in sources}
    assert sum(map(len, graph.values())) > len(sources) / 2
    TopologicalSorter(graph).prepare()
