"""The tree in app/errors.py lists every error of the server."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import app
import app.errors
import schema
from app.errors import VoltgraphError


def subclasses(kind: type[VoltgraphError], depth: int = 0) -> Iterator[tuple[int, str]]:
    yield depth, kind.__name__
    for each in sorted(kind.__subclasses__(), key=lambda each: each.__name__):
        if each.__module__.startswith(("app.", "schema.")):
            yield from subclasses(each, depth + 1)


def test_the_tree_is_that_of_the_classes() -> None:
    for package in (app, schema):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in module.name and ".versions." not in module.name and "env" not in module.name:
                importlib.import_module(module.name)
    documented = [
        (len(indent) // 4, name)
        for indent, name in re.findall(r"^((?:[│├└─ ]{4})*)(\w+)(?=  |$)", app.errors.__doc__ or "", re.MULTILINE)
        if name.isidentifier() and hasattr(importlib, "import_module")
    ]
    assert set(documented) == set(subclasses(VoltgraphError))
