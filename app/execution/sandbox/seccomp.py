"""seccomp filter of a job: a program in classic BPF that refuses system calls.

It refuses instead of permitting, because numerical libraries use many harmless calls; calls newer than this table are
refused too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator

from app.execution.sandbox.kernel import IS_LINUX, MACHINE, PR_GET_SECCOMP, prctl, syscall
from app.execution.sandbox.syscalls import ARCHITECTURES, LAST, LIMITED, REFUSED, UNKNOWN, number

SYS_SECCOMP = (317, 277)
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
KILL, ERRNO, ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Offsets in seccomp_data; each argument has 8 bytes, the lower half first."""
X32 = 0x4000_0000

TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP = 0x5412, 0x541C, 0x8901, 0x8902
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
PR_SET_PDEATHSIG, PR_SET_MM, PR_SET_PTRACER = 1, 35, 0x59616D61
O_TMPFILE = 0o20000000
CLONE_THREAD = 0x10000

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def is_available() -> bool:
    """Return whether this kernel has seccomp filters, and this machine a table of system calls."""
    if not IS_LINUX or MACHINE not in ARCHITECTURES:
        return False
    try:
        prctl(PR_GET_SECCOMP)
        action = ctypes.c_uint32(ERRNO)
        syscall(number(SYS_SECCOMP) or 0, SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action))
    except OSError:
        return False
    return True


def apply(*, threads: bool = False) -> None:
    """Put this process under the filter for ever; `threads` lets it start threads. It needs PR_SET_NO_NEW_PRIVS. Raises
    OSError."""
    code = b"".join(struct.pack("=HBBI", *each) for each in program(os.getpid(), threads=threads))
    buffer = ctypes.create_string_buffer(code, len(code))
    given = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    syscall(number(SYS_SECCOMP) or 0, SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(given))


def program(pid: int, *, threads: bool = False) -> list[Instruction]:
    """Build the filter of the process `pid`, which may send signals to itself only. A thread is a call of `clone` with
    CLONE_THREAD; `clone3`, whose flags a filter cannot read, is unknown here, so that libraries use `clone`."""
    clone = REFUSED["clone"]
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[MACHINE][0]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_GREATER, 0, 1, LAST),  # calls of the x32 ABI are numbered from X32 on
        _refuse(errno.ENOSYS),
        *(_each([clone], _with(0, CLONE_THREAD)) if threads else ()),
        *_each(REFUSED.values(), [_refuse(errno.EPERM)]),
        *_each(UNKNOWN.values(), [_refuse(errno.ENOSYS)]),
        *_each([LIMITED["kill"], LIMITED["tgkill"]], _only(0, [pid])),
        *_each([LIMITED["prlimit64"], LIMITED["sched_setaffinity"]], _only(0, [0, pid])),
        *_each([LIMITED["prctl"]], _not(0, [PR_SET_PDEATHSIG, PR_SET_MM, PR_SET_PTRACER])),
        *_each([LIMITED["ioctl"]], _not(1, [TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP])),
        *_each([LIMITED["fcntl"]], _not(1, [F_SETOWN, F_SETSIG, F_SETOWN_EX])),
        *_each([LIMITED["open"]], _without(1, O_TMPFILE)),
        *_each([LIMITED["openat"]], _without(2, O_TMPFILE)),
        (RETURN, 0, 0, ALLOW),
    ]


def _each(calls: Iterable[tuple[int | None, int | None]], then: list[Instruction]) -> Iterator[Instruction]:
    """Yield the test of each call, followed by what decides about it."""
    for call in calls:
        known = number(call)
        if known is not None:
            yield JUMP_EQUAL, 0, len(then), known
            yield from then


def _only(argument: int, values: list[int]) -> list[Instruction]:
    """Allow only values of an argument."""
    tests = [(JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [_load(argument), *tests, _refuse(errno.EPERM), (RETURN, 0, 0, ALLOW)]


def _not(argument: int, values: list[int]) -> list[Instruction]:
    """Refuse values of an argument."""
    tests = [(JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [_load(argument), *tests, (RETURN, 0, 0, ALLOW), _refuse(errno.EPERM)]


def _with(argument: int, bit: int) -> list[Instruction]:
    """Allow only an argument with this bit."""
    return [_load(argument), (JUMP_ANY_BIT, 1, 0, bit), _refuse(errno.EPERM), (RETURN, 0, 0, ALLOW)]


def _without(argument: int, bits: int) -> list[Instruction]:
    """Refuse an argument with any of these bits."""
    return [_load(argument), (JUMP_ANY_BIT, 0, 1, bits), _refuse(errno.EOPNOTSUPP), (RETURN, 0, 0, ALLOW)]


def _load(argument: int) -> Instruction:
    return LOAD, 0, 0, ARGUMENTS + 8 * argument


def _refuse(number: int) -> Instruction:
    return RETURN, 0, 0, ERRNO | number
