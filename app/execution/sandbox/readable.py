"""Paths that a job may read: the installed software, and no data."""

from __future__ import annotations

import sys
from pathlib import Path

SYSTEM = (
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share", "/lib", "/lib64"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
)
IN_PREFIX = ("lib", "lib64", "share")
PACKAGES = ("site-packages", "dist-packages")
"""Names of folders that hold installed packages, and nothing else."""


def readable() -> list[Path]:
    """Return the readable paths: system libraries, Python's, installed packages, and the package of each module
    imported so far."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    installed = {Path(prefix) / name for prefix in prefixes for name in IN_PREFIX}
    # Packages of a user (`pip install --user`), and folders of PYTHONPATH: some modules are imported only by a job.
    installed |= {Path(each).absolute() for each in sys.path if Path(each).name in PACKAGES}
    roots = {*map(Path, SYSTEM), *installed}
    return sorted({*roots, *(each for each in _imported() if not any(each.is_relative_to(root) for root in roots))})


def _imported() -> set[Path]:
    """Return the folder of each imported top-level package, and the file of each other top-level module."""
    found: set[Path] = set()
    for name, module in list(sys.modules.items()):
        if "." in name or name == "__main__":
            continue
        folders = list(getattr(module, "__path__", ()))
        file = getattr(module, "__file__", None)
        found |= {Path(each).absolute() for each in folders or ([file] if file else [])}
    return found
