"""Protection of the server's own process from processes of the same user."""

from __future__ import annotations

import os
from contextlib import suppress

from app.execution.sandbox.kernel import IS_LINUX, PR_SET_DUMPABLE, erase, prctl

SECRET_VARIABLES = ("VOLTGRAPH_DATABASE_URL", "VOLTGRAPH_KEY")


def protect_process() -> None:
    """Remove secrets from the environment, once the settings are read, and make the process not dumpable: no other
    process of its user can read its memory or /proc/PID/environ, or trace it."""
    for name in SECRET_VARIABLES:
        if name in os.environ:
            if IS_LINUX:
                erase(name.encode())
            del os.environ[name]
    if IS_LINUX:
        with suppress(OSError):
            prctl(PR_SET_DUMPABLE, 0)
