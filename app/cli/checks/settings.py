"""Settings as the command line reads them: options before variables, and a word about unknown variables."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.settings import Settings

PREFIX = "VOLTGRAPH_"
OTHERS = ("VOLTGRAPH_KEY", "VOLTGRAPH_SOAK_SECONDS", "VOLTGRAPH_SCREENSHOT")
"""Variables that no setting reads: the key of clients, and those of tests."""
DatabaseUrl = Annotated[str | None, typer.Option(help="URL of the database. [VOLTGRAPH_DATABASE_URL]")]


def settings_with(**given: Any) -> Settings:
    """Return the settings; options that were given come before variables."""
    return Settings(**{name: value for name, value in given.items() if value is not None})


def unknown_variables() -> Iterator[tuple[str, str | None]]:
    """Yield each unknown VOLTGRAPH_* variable, with the nearest known name, if one is near."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name.upper() not in (*known, *OTHERS):
            yield name, next(iter(difflib.get_close_matches(name.upper(), known, 1, 0.8)), None)
