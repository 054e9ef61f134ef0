"""Landlock ruleset of a job: reads of the installed software, writes to one folder, no TCP, no signals to others."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.execution.sandbox.kernel import IS_LINUX, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_REG, TRUNCATE = 1 << 8, 1 << 14
HANDLED = {1: 13, 2: 14, 3: 15, 5: 16}
"""Number of access rights to files by the ABI that brought them: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with
5."""
NETWORK_ABI, NETWORK = 4, 0b11
"""ABI that brought the rights to bind and connect TCP sockets."""
SCOPE_ABI, SCOPE = 6, 0b11
"""ABI that brought the scopes of abstract UNIX sockets and signals."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scope", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Return the version of Landlock's interface; 0 if this kernel has none."""
    if not IS_LINUX:
        return 0
    try:
        return syscall(CREATE_RULESET, None, 0, VERSION)
    except OSError:
        return 0


def apply(version: int, readable: Iterable[Path], folder: Path) -> None:
    """Confine this process for ever: it may read below `readable`, and write in `folder`. It needs
    PR_SET_NO_NEW_PRIVS. Raises OSError."""
    handled = (1 << max(count for since, count in HANDLED.items() if since <= version)) - 1
    rules = _Ruleset(handled, NETWORK if version >= NETWORK_ABI else 0, SCOPE if version >= SCOPE_ABI else 0)
    ruleset = syscall(CREATE_RULESET, ctypes.byref(rules), 8 * (1 + (version >= 4) + (version >= 6)), 0)
    try:
        for path in readable:
            with suppress(FileNotFoundError, PermissionError):  # then the job cannot read it either
                _allow(ruleset, path, READ_FILE | READ_DIR)
        _allow(ruleset, folder, (READ_FILE | READ_DIR | WRITE_FILE | MAKE_REG | TRUNCATE) & handled)
        syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not path.is_dir():
            access &= ~(READ_DIR | MAKE_REG)
        rule = _PathBeneath(access, parent)
        syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)
