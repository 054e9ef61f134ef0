"""Errors of measurement files, and the check for the extra that reads them."""

from __future__ import annotations

from importlib.util import find_spec

from app.execution.executor import IngestError

__all__ = ["IngestError", "first_line", "missing_extra"]
PACKAGES = ("polars", "ionworksdata")
"""Packages of the extra `data`."""
MAX_REASON = 200


def missing_extra() -> str | None:
    """Return the message that the extra `data` is missing, or None if it is installed."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if not missing:
        return None
    return f"Measurements need {' and '.join(missing)}. Install the extra `data`: pip install 'voltgraph[data]'."


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error, short enough for a message; only its type if it names a path."""
    text = (str(error).strip().split("\n") or [""])[0]
    return f"{type(error).__name__}: {text:.{MAX_REASON}}" if text and "/" not in text else type(error).__name__
