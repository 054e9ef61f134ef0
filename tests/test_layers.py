"""Layers: allowed imports between packages."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.api import ROOT

JOINS = ROOT / "app" / "main.py"


def imports(file: Path) -> set[str]:
    """Return the top-level packages that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_in_app_only_main_knows_of_graphql() -> None:
    files = [file for file in (ROOT / "app").rglob("*.py") if "node_modules" not in file.parts]
    assert JOINS in files
    guilty = {file.name for file in files if imports(file) & {"schema", "graphql", "strawberry"}}
    assert guilty == {"main.py"}


def test_a_server_starts_without_what_only_series_need() -> None:
    code = "import sys, app.main; sys.exit(bool({'numpy', 'tsdownsample', 'pybamm'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_nothing_of_the_product_knows_the_tests() -> None:
    files = [file for part in ("app", "schema") for file in (ROOT / part).rglob("*.py")]
    assert not [file for file in files if "tests" in imports(file)]
