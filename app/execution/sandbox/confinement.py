"""Confinement of a child process before it runs a job."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.execution.sandbox import capabilities, landlock, seccomp
from app.execution.sandbox.isolation import Wish, isolation
from app.execution.sandbox.kernel import IS_LINUX, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl
from app.execution.sandbox.limits import Limits


def confine(limits: Limits, folder: Path, readable: Sequence[Path], wish: Wish, *, threads: bool = False) -> None:
    """Confine this process for ever, by all that this kernel has. `threads` lets it start threads. Raises OSError if a
    feature that it has fails: then no job may run."""
    os.chdir(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    limits.apply()
    if not IS_LINUX:
        return
    given = isolation(wish)
    if given.is_root:
        capabilities.drop()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of credentials may have reset it
    if given.landlock:
        landlock.apply(given.landlock, readable, folder)
    if given.seccomp:
        seccomp.apply(threads=threads)
