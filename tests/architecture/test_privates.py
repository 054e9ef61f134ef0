"""Private parts of libraries are used in named rooms only, so that an upgrade has few places to look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.modules import PACKAGES, imports, is_within, modules, tree

ROOMS = {
    "app.database.sqlite.driver": "aiosqlite's connection and its thread",
    "app.database.engines": "SQLAlchemy's connection pool",
    "schema.strawberry_internals": "Strawberry's definitions and its graphql-core schema",
}
"""Modules with private parts of libraries."""
PROTOCOLS = "uvicorn.protocols"
PROTOCOL_ROOMS = ("app.server.connections", "app.server.fast_path")
"""Packages with uvicorn's protocols, whose attributes are internals without an underscore."""
PUBLIC = {"_mapping", "_replace", "_asdict", "_value_", "_exit"}
"""Names with an underscore that are documented as public: of rows, named tuples, enums and `os`."""
STRAWBERRY = {"__strawberry_definition__", "strawberry-definition"}
"""Names of Strawberry's definitions, private though the first has two underscores."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def own_names(module: ast.Module) -> set[str]:
    """Return the names that a module defines itself: functions, attributes of `self` and fields of classes."""
    own = set()
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            own.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
    return own


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def private_parts(module: str) -> Iterator[str]:
    """Yield the private parts of libraries that a module names."""
    own = own_names(tree(module))
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute):
            is_own = node.attr in own and not _is_super(node.value)
            foreign = is_private(node.attr) and not _is_self(node.value) and not is_own
            if foreign or node.attr in STRAWBERRY:
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and node.value in STRAWBERRY:
            yield str(node.value)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] not in PACKAGES:
            yield from filter(is_private, [*node.module.split("."), *(alias.name for alias in node.names)])


def test_private_parts_of_libraries_are_used_in_rooms_only() -> None:
    found = {module: parts for module in modules() if (parts := list(private_parts(module)))}
    assert {each for each in found if not any(is_within(each, room) for room in ROOMS)} == set(), found


def test_each_room_has_private_parts() -> None:
    for room in ROOMS:
        assert any(list(private_parts(each)) for each in modules() if is_within(each, room)), f"{room} needs no room"


def test_protocols_of_uvicorn_are_used_in_rooms_only() -> None:
    found = {each for each in modules() if any(is_within(name, PROTOCOLS) for name in imports(each))}
    assert {each for each in found if not any(is_within(each, room) for room in PROTOCOL_ROOMS)} == set()
    assert {room for room in PROTOCOL_ROOMS if any(is_within(each, room) for each in found)} == set(PROTOCOL_ROOMS)
