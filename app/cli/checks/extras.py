"""Extras of the installation that jobs need."""

from __future__ import annotations

from importlib.util import find_spec

from app.settings import Settings

BATTERY = ("pybamm", "scipy", "cma")
"""Modules of the extra `battery` that every job of the default executor imports."""
ADVICE = "not installed: every job fails until `pip install 'voltgraph[battery]'` has run in this environment."


def missing_battery(settings: Settings) -> str | None:
    """Return advice if the executor is the default one and its packages are missing."""
    if settings.executor != Settings.model_fields["executor"].default:
        return None
    absent = [name for name in BATTERY if find_spec(name) is None]
    return f"{', '.join(absent)} {ADVICE}" if absent else None
