"""Clients of the last release still work: no breaking change of the schema, except those listed."""

from __future__ import annotations

import re

from graphql import build_schema
from graphql.utilities import find_breaking_changes

from app.main import sdl
from tests.api import ROOT

RELEASES = ROOT / "tests" / "schema" / "releases"
ALLOWED = {
    "Field PipelineChange.id was removed.": "It was the id of its pipeline, so that Relay's cache, with one object "
    "per id, overwrote the pipeline by the change. `pipelineId` replaces it.",
}
"""Breaking changes since the last release, each with its reason. A release empties this."""


def last_release() -> str:
    """Return the newest version of CHANGELOG.md that was released."""
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_nothing_that_clients_of_the_last_release_use_is_gone() -> None:
    released = build_schema((RELEASES / f"{last_release()}.graphql").read_text())
    broken = {change.description for change in find_breaking_changes(released, build_schema(sdl()))}
    assert broken <= ALLOWED.keys(), "keep it, deprecate it, or list it with a reason"


def test_the_comparison_finds_what_breaks() -> None:
    released = build_schema((RELEASES / f"{last_release()}.graphql").read_text())
    changed = build_schema(sdl().replace("  isTerminal: Boolean!", "  terminal: Boolean!").replace("FAILED", "BROKEN"))
    broken = {change.description for change in find_breaking_changes(released, changed)}
    assert {"Field Pipeline.isTerminal was removed.", "Enum value PipelineStatus.FAILED was removed."} <= broken
