"""Isolation of jobs that an operator requires."""

import typer

from app.cli.terminal import console, shown
from app.execution.sandbox.isolation import isolation
from app.settings import Settings

NEEDS = "VOLTGRAPH_SANDBOX=required needs Landlock and seccomp in the kernel; this one gives"


def require_isolation(settings: Settings) -> None:
    """Exit with status 2 if this kernel cannot confine jobs as the settings require."""
    given = isolation(settings.sandbox)
    if settings.sandbox == "required" and settings.workers and given.level != "full":
        console.print(shown(f"{NEEDS} Landlock {given.landlock} and {'a' if given.seccomp else 'no'} seccomp.", "red"))
        raise typer.Exit(2)
