"""Layers: each package imports those below it only, and folders stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.api import ROOT
from tests.architecture.modules import PACKAGES, imports, is_within, modules, tree

LAYERS = (
    ("app.__main__",),
    ("app.cli",),
    ("app.main",),
    ("app.rest", "schema"),
    ("app.server",),
    ("app.execution",),
    ("app.measurements",),
    ("app.pipelines",),
    ("app.database",),
    ("app.auth",),
    ("app.errors",),
    ("app.models", "app.settings"),
)
"""From the top. Packages of one layer do not import each other."""
SCHEMA_LAYERS = (
    ("schema.transport",),
    ("schema.operations",),
    ("schema.answers",),
    ("schema.plans",),
    ("schema",),
    ("schema.documents", "schema.types"),
    ("schema.errors", "schema.executor"),
    ("schema.strawberry_internals",),
)
"""Layers within `schema`; the package itself holds the schema, made from its types."""
WING = "app.battery"
WING_IMPORTS = {"app.execution.executor", "app.models.enums", "app.errors"}
"""Modules of the server that battery work imports: it runs in child processes."""
MAX_ENTRIES = 14
MAX_ENTRIES_OF = {"schema": 9}
JOINS = "app.main"
FAST_PATH = "app.server.fast_path"
SWITCHES = {"app.main", "app.server.uvicorn"}
"""Modules that import the fast path: they switch it on."""
DATABASE_LIBRARIES = {"apsw", "asyncpg", "sqlalchemy", "sqlmodel"}
SCHEMA_LIBRARIES = ("schema", "graphql", "strawberry")


def layer(module: str, layers: tuple[tuple[str, ...], ...]) -> tuple[int, str] | None:
    """Return the number of a module's layer from the top, and its package there. The longest name decides."""
    found = [
        (len(package), i, package) for i, each in enumerate(layers) for package in each if is_within(module, package)
    ]
    return max(found)[1:] if found else None


def upward(layers: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the imports that go to a higher layer or to another package of the same layer."""
    found = []
    for module in modules():
        for imported in imports(module):
            one, other = layer(module, layers), layer(imported, layers)
            if one and other and (other[0] < one[0] or (other[0] == one[0] and other[1] != one[1])):
                found.append(f"{module} imports {imported}")
    return sorted(found)


def test_imports_go_down() -> None:
    assert upward(LAYERS) == []


def test_imports_within_the_schema_go_down() -> None:
    assert upward(SCHEMA_LAYERS) == []


def test_each_module_has_a_layer() -> None:
    assert [each for each in modules() if not layer(each, LAYERS) and not is_within(each, WING)] == ["app"]
    assert [each for each in modules() if is_within(each, "schema") and not layer(each, SCHEMA_LAYERS)] == []


def test_battery_work_imports_the_boundary_only() -> None:
    ours = [each for each in modules() if is_within(each, WING)]
    assert ours
    known = {name for each in ours for name in imports(each) if name.partition(".")[0] in PACKAGES}
    assert {name for name in known if not is_within(name, WING)} <= WING_IMPORTS


def test_nothing_imports_battery_work() -> None:
    others = [each for each in modules() if not is_within(each, WING)]
    assert [each for each in others if any(is_within(name, WING) for name in imports(each))] == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    assert circle(modules()) == []


def circle(names: Iterable[str]) -> list[str]:
    """Return the modules of a circle of imports, if there is one."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        for imported in sorted(imports(module) & modules().keys() - {module}):
            if found := visit(imported, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for name in names if (found := visit(name, []))), [])


def folders() -> list[Path]:
    return [file.parent for file in modules().values() if file.name == "__init__.py"]


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_folders_are_small_and_described(folder: Path) -> None:
    entries = [
        each.name
        for each in folder.iterdir()
        if (each.suffix == ".py" and each.name != "__init__.py") or (each.is_dir() and any(each.rglob("*.py")))
    ]
    assert len(entries) <= MAX_ENTRIES_OF.get(folder.name, MAX_ENTRIES), sorted(entries)
    described = ast.get_docstring(tree(".".join(folder.relative_to(ROOT).parts)))
    assert described, f"{folder}/__init__.py has no docstring"
    assert len(described.split("\n")) <= 2, f"the docstring of {folder}/__init__.py has more than two lines"


def test_in_app_only_main_knows_of_graphql() -> None:
    guilty = {
        each
        for each in modules()
        if is_within(each, "app") and any(name.partition(".")[0] in SCHEMA_LIBRARIES for name in imports(each))
    }
    assert guilty == {JOINS}


def test_only_the_switch_knows_the_fast_path() -> None:
    others = [each for each in modules() if not is_within(each, FAST_PATH)]
    assert {each for each in others if any(is_within(name, FAST_PATH) for name in imports(each))} == SWITCHES


def test_a_server_starts_without_what_only_series_need() -> None:
    code = "import sys, app.main; sys.exit(bool({'numpy', 'tsdownsample', 'pybamm'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    "module", ["app.execution.forkserver", "app.execution.fake", "app.battery", "app.models.enums"]
)
def test_processes_of_jobs_import_no_database_library(module: str) -> None:
    if module == WING:
        pytest.importorskip("pybamm", reason="the extra `battery` is not installed")
    code = f"import sys, {module}; print(*{DATABASE_LIBRARIES!r} & sys.modules.keys())"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert outcome.stdout.split() == []


def test_nothing_of_the_product_knows_the_tests() -> None:
    assert [each for each in modules() if any(is_within(name, "tests") for name in imports(each))] == []
