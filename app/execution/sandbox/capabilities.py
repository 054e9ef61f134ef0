"""Capabilities of root, which a job drops."""

from __future__ import annotations

import ctypes
import itertools

from app.execution.sandbox.kernel import (
    MACHINE,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAPBSET_DROP,
    prctl,
    syscall,
)
from app.execution.sandbox.syscalls import ARCHITECTURES

CAPSET = (126, 91)
VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int32))


def drop() -> None:
    """Drop all capabilities, for ever. Raises OSError."""
    for each in itertools.count():
        try:
            prctl(PR_CAPBSET_DROP, each)
        except OSError:  # no capability of this number, or no right to drop any: then there is none to drop
            break
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header, empty = _Header(VERSION_3, 0), (ctypes.c_uint32 * 6)()
    syscall(CAPSET[ARCHITECTURES[MACHINE][1]], ctypes.byref(header), ctypes.byref(empty))
