"""Build hook of the wheel: places `app`, `schema` and `queries` in the package `voltgraph`, and renames their imports.

A wheel with the top-level packages `app` and `schema` collides with every project that has an `app`. The names of the
repository stay; this hook rewrites absolute imports of these packages, which the syntax tree finds. A module named by a
string would be missed, so it stops the build.
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TOP = "voltgraph"
MOVED = ("app", "schema")
FOLDERS = (TOP, *MOVED, "queries")
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "node_modules", "src", "package*.json", "*.config.js", "codegen.js", "tsconfig.json"
)


class WheelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hook that hatchling calls around each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the rewritten folders to the wheel. An editable installation uses the checkout as it is."""
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="voltgraph-wheel-"))
        place(Path(self.root), self._folder)
        build_data["force_include"][str(self._folder / TOP)] = TOP

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the rewritten folders."""
        if version != "editable":
            shutil.rmtree(self._folder)


def place(root: Path, target: Path) -> None:
    """Copy the folders of the repository to `target` as one package, and rename the imports of all modules."""
    for folder in FOLDERS:
        place_at = target / TOP if folder == TOP else target / TOP / folder
        shutil.copytree(root / folder, place_at, ignore=LEFT_OUT, dirs_exist_ok=True)
    for file in (target / TOP).rglob("*.py"):
        file.write_text(renamed(file.read_text("utf-8"), file.name), "utf-8")


def renamed(source: str, name: str) -> str:
    """Return the source of a module with its imports of `app` and `schema` made imports of `voltgraph`. Raises
    ValueError for a string that names a module."""
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_moved(node.module or ""):
            _replace(lines, node, r"from\s+(?=\w)", f"from {TOP}.")
        elif isinstance(node, ast.Import) and any(_is_moved(alias.name) for alias in node.names):
            _rename_import(lines, node, tree, name)
        elif isinstance(node, ast.Constant) and _is_module(node.value):
            raise ValueError(f"{name}:{node.lineno} names the module {node.value!r}: derive it from __package__.")
    return "".join(lines)


def _rename_import(lines: list[str], node: ast.Import, tree: ast.Module, name: str) -> None:
    """Rename `import schema` or `import app.models.tables`. The second may only register: it binds another name now."""
    [alias] = node.names
    if alias.asname is None and "." not in alias.name:
        _replace(lines, node, r"import\s+", f"from {TOP} import ")
        return
    _replace(lines, node, r"import\s+", f"import {TOP}.")
    top = alias.name.partition(".")[0]
    if alias.asname is None and any(isinstance(each, ast.Name) and each.id == top for each in ast.walk(tree)):
        raise ValueError(f"{name}:{node.lineno} uses {top!r} bound by `import {alias.name}`: import names from it.")


def _replace(lines: list[str], node: ast.stmt, pattern: str, by: str) -> None:
    """Replace what begins a statement."""
    line, at = lines[node.lineno - 1].encode(), node.col_offset  # offsets of the tree count bytes
    rest, found = re.subn(f"^{pattern}", by, line[at:].decode(), count=1)
    if not found:
        raise ValueError(f"line {node.lineno} does not begin with its import: {rest!r}")
    lines[node.lineno - 1] = line[:at].decode() + rest


def _is_moved(module: str) -> bool:
    return module.partition(".")[0] in MOVED


def _is_module(value: object) -> bool:
    """Return whether a constant is the dotted name of a module, such as `app.cli`. `MODULE:NAME` is resolved at run
    time, by `load` of the fork server."""
    return isinstance(value, str) and re.fullmatch(rf"({'|'.join(MOVED)})(\.[a-z_]\w*)+", value) is not None
