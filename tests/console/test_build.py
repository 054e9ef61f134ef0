"""Build of the console: it is made from the sources beside it."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from tests.api import ROOT

CONSOLE = ROOT / "app" / "server" / "pages" / "console"
SOURCES = ("index.html", "operations", "package-lock.json", "src", "tsconfig.json", "vite.config.js")
"""Files and folders that determine the build; vite.config.js has them too."""


def hash_of_sources() -> str:
    """Return the hash that the build wrote beside its files."""
    files = [
        file.relative_to(CONSOLE).as_posix()
        for name in SOURCES
        for file in ([CONSOLE / name] if (CONSOLE / name).is_file() else (CONSOLE / name).rglob("*"))
        if file.is_file() and "src/generated/" not in file.as_posix()
    ]
    total = sha256()
    for name in sorted(files):
        total.update(f"{name}\0".encode() + sha256((CONSOLE / name).read_bytes()).digest())
    return total.hexdigest()


def test_the_build_is_that_of_the_sources() -> None:
    built = (CONSOLE / "dist" / "sources.sha256").read_text().strip()
    assert built == hash_of_sources(), "the console is older than its sources: run `make console`"


def test_locked_packages_name_no_registry() -> None:
    packages = json.loads((CONSOLE / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)


def test_versions_are_exact() -> None:
    project = json.loads((CONSOLE / "package.json").read_text())
    versions = [*project["dependencies"].values(), *project["devDependencies"].values()]
    assert [each for each in versions if not re.fullmatch(r"\d+\.\d+\.\d+", each)] == []
