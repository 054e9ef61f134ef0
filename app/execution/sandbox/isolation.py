"""Isolation that this kernel gives to jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

from app.execution.sandbox import landlock, seccomp
from app.execution.sandbox.kernel import IS_LINUX

Wish = Literal["on", "required", "off"]


@dataclass(frozen=True, slots=True)
class Isolation:
    """Features that confine jobs."""

    limits: bool
    """Resource limits, no new privileges, no capabilities, and no process that outlives a job."""
    landlock: int
    """Version of Landlock's interface; 0 without it."""
    seccomp: bool
    is_root: bool

    @property
    def level(self) -> str:
        if self.landlock and self.seccomp:
            return "full"
        if self.landlock or self.seccomp:
            return "partial"
        return "limits" if self.limits else "none"

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "limits": self.limits,
            "landlock": self.landlock,
            "seccomp": self.seccomp,
            "root": self.is_root,
        }

    @property
    def warnings(self) -> list[str]:
        """Return what an operator should change."""
        found = []
        if not self.landlock:
            found.append("Landlock is off: a job can read and write the server's files. Linux 5.13 or newer has it.")
        if not self.seccomp:
            found.append("seccomp is off: a job can open sockets and start programs. Linux 3.17 or newer has it.")
        if self.is_root:
            found.append("the server runs as root: give it a user of its own (docs/jobs.md).")
        return found


def isolation(wish: Wish = "on") -> Isolation:
    """Return the isolation of jobs on this machine. With "off" it is limits only."""
    root = IS_LINUX and os.geteuid() == 0
    if wish == "off" or not IS_LINUX:
        return Isolation(IS_LINUX, 0, False, root)
    return Isolation(True, landlock.abi(), seccomp.is_available(), root)
