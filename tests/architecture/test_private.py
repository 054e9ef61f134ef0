"""Private attributes of libraries appear in named rooms only."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.api import ROOT

ROOMS = {
    "app/server/fast_path",
    "app/database/sqlite/driver.py",
    "app/database/engines.py",
    "app/execution/polling.py",
    "schema/strawberry_internals.py",
}
PUBLIC = {"_mapping", "_replace", "_fields", "_asdict", "_exit"}
"""Documented parts of SQLAlchemy's rows, of named tuples, and of `os`."""


def private_uses(path: Path) -> list[str]:
    """Private attributes of anything but the object itself and the module's own classes."""
    tree = ast.parse(path.read_text())
    own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        if isinstance(node.target, ast.Name)
    }
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in own
        if not _is_self(node.value)
    ]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def _is_self(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="self" | "cls"):
            return True
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False


def imported_privates(path: Path) -> list[str]:
    """Private names imported from libraries."""
    return [
        f"{node.lineno}: from {node.module} import {alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(("app", "schema"))
        for alias in node.names
        if _is_private(alias.name) or any(_is_private(part) for part in node.module.split("."))
    ]


def test_private_attributes_of_libraries_stay_in_their_rooms() -> None:
    found = {
        str(path.relative_to(ROOT)): uses
        for folder in ("app", "schema")
        for path in (ROOT / folder).rglob("*.py")
        if (uses := [*private_uses(path), *imported_privates(path)])
    }
    outside = {path: uses for path, uses in found.items() if not any(path.startswith(room) for room in ROOMS)}
    assert not outside, outside


def test_each_room_is_needed() -> None:
    for room in ROOMS:
        paths = [ROOT / room] if room.endswith(".py") else [*(ROOT / room).rglob("*.py")]
        assert any(private_uses(path) or imported_privates(path) for path in paths), room
