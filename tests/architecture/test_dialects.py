"""Differences between databases are in the folder of each database.

A new database needs a folder beside `app/database/sqlite` and `app/database/postgres`, and an entry in `BACKENDS` of
`app/database/connect.py`. All other modules ask the interfaces `Sql` and `Backend`. The versions of migrations may
compare dialects: they are frozen history, and an interface that changes would change them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from sqlalchemy.engine.default import StrCompileDialect

from app.database.connect import BACKENDS
from tests.architecture.modules import imports, is_within, modules, tree

FOLDERS = tuple(type(backend).__module__.rpartition(".")[0] for backend in BACKENDS)
CONNECT = "app.database.connect"
ROOMS = {
    **dict.fromkeys(FOLDERS, "what one database needs"),
    CONNECT: "finds the kind of a database by the scheme of its URL",
    "app.models.sql": "finds the SQL of a dialect by its name",
    "app.database.migrations.versions": "frozen history",
    "app.models.measurements": "conditions of partial indexes, which are keywords of SQLAlchemy",
    "app.models.tables": "conditions of partial indexes, which are keywords of SQLAlchemy",
}
"""Modules that may name dialects."""
NAMES = {name for backend in BACKENDS for name in (*backend.schemes, *backend.sql.dialects)} - {StrCompileDialect.name}
DRIVERS = {"aiosqlite", "apsw", "asyncpg", "sqlite3"}
DRIVER_ATTRIBUTES = {"drivername", "get_backend_name", "get_driver_name"}
"""Attributes of a URL that name its dialect."""


def dialect_names(module: ast.Module) -> Iterator[str]:
    """Yield the places that name or read a dialect: constants, also with a driver, keywords and attributes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition("+")[0] in NAMES:
            yield f"{node.lineno}: {node.value}"
        elif isinstance(node, ast.keyword) and (node.arg or "").partition("_")[0] in NAMES:
            yield f"{node.lineno}: {node.arg}"
        elif isinstance(node, ast.Attribute) and (node.attr in DRIVER_ATTRIBUTES or _is_name_of_dialect(node)):
            yield f"{node.lineno}: {ast.unparse(node)}"


def _is_name_of_dialect(node: ast.Attribute) -> bool:
    return node.attr == "name" and ast.unparse(node.value).rpartition(".")[2] in ("dialect", "get_dialect()")


def test_only_rooms_name_dialects() -> None:
    found = {each: places for each in modules() if (places := list(dialect_names(tree(each))))}
    assert {each: found[each] for each in found if not any(is_within(each, room) for room in ROOMS)} == {}


def test_each_room_names_dialects() -> None:
    assert [
        room for room in ROOMS if not any(is_within(each, room) and [*dialect_names(tree(each))] for each in modules())
    ] == []


def test_only_connect_imports_the_folders_of_databases() -> None:
    guilty = [
        f"{each} imports {name}"
        for each in modules()
        for name in imports(each)
        for folder in FOLDERS
        if is_within(name, folder) and not is_within(each, folder) and each != CONNECT
    ]
    assert guilty == []


def test_only_folders_of_databases_import_drivers() -> None:
    users = {each for each in modules() if any(name.partition(".")[0] in DRIVERS for name in imports(each))}
    assert {each for each in users if not any(is_within(each, folder) for folder in FOLDERS)} == set()


def test_the_dialects_of_sqlalchemy_are_imported_in_folders_of_databases_only() -> None:
    users = {each for each in modules() if any(is_within(name, "sqlalchemy.dialects") for name in imports(each))}
    assert users
    assert [each for each in users if not any(is_within(each, folder) for folder in FOLDERS)] == []


@pytest.mark.parametrize(
    "source",
    [
        "x = engine.dialect.name == y",
        "x = dialect.name",
        "x = url.drivername",
        'if kind == "sqlite": pass',
        'x = kind in ("postgresql",)',
        'x = text.startswith("sqlite")',
        'x = {"sqlite+aiosqlite": 1}',
        '@compiles(X, "postgresql")\ndef f(): pass',
        "x = url.get_dialect().name",
        "x = Index(sqlite_where=y)",
    ],
)
def test_the_rule_finds_branches(source: str) -> None:
    assert len(list(dialect_names(ast.parse(source)))) == 1
