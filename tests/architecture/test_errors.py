"""The tree of errors in the docstring of app/errors.py is the tree of classes."""

from __future__ import annotations

import importlib
import re

from app import errors
from tests.architecture.modules import is_within, modules

ROOT = "VoltgraphError"
SKIPPED = ("app.__main__", "app.battery", "app.database.migrations.env", "app.database.migrations.versions")
"""Modules that are not imported here: they need an extra or a running migration, or start the command line."""


def documented() -> dict[str, str]:
    """Return the parent of each error by the tree of the docstring."""
    parents: dict[str, str] = {}
    path = [ROOT]
    for line in (errors.__doc__ or "").split("\n"):
        if match := re.match(r"^((?:│   |    )*)[├└]── (\w+)", line):
            depth = len(match[1]) // 4 + 1
            path[depth:] = [match[2]]
            parents[match[2]] = path[depth - 1]
    return parents


def subclasses(kind: type[BaseException]) -> dict[str, str]:
    """Return the parent of each subclass of an error."""
    found = {}
    for each in kind.__subclasses__():
        found[each.__name__] = kind.__name__
        found |= subclasses(each)
    return found


def test_the_tree_of_errors_is_that_of_the_classes() -> None:
    for module in modules():
        if not any(is_within(module, skipped) for skipped in SKIPPED):
            importlib.import_module(module)
    ours = {name: parent for name, parent in subclasses(errors.VoltgraphError).items() if not name.startswith("_")}
    assert documented() == ours
