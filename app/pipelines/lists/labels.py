"""Labels of pipelines and tags of measurements: their checks, and their form for filters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from app.errors import Problem, ProblemCode

MAX_LABELS, MAX_LABEL = 50, 50
"""Maximum number of labels, and of the characters of each."""


def parse_labels(
    given: Any, field: str = "labels", one: str = "label", owner: str = "pipeline"
) -> tuple[list[str], list[Problem]]:
    """Return trimmed labels, sorted and without duplicates by case, and all problems."""
    if given is None:
        return [], []
    if not isinstance(given, list):
        return [], [_invalid(f"`{field}` must be a list of texts.", field)]
    if wrong := [place for place, each in enumerate(given) if not isinstance(each, str)]:
        return [], [_invalid(f"A {one} must be a text.", field, place) for place in wrong[:MAX_LABELS]]
    kept: dict[str, tuple[str, int]] = {}
    for place, each in enumerate(given):
        kept.setdefault(fold(each), (each.strip(), place))
    if len(kept) > MAX_LABELS:
        return [], [_invalid(f"A {owner} takes at most {MAX_LABELS} {field}, not {len(kept)}.", field)]
    problems = []
    for each, place in kept.values():
        if not each:
            problems.append(_invalid(f"A {one} must not be empty.", field, place))
        if len(each) > MAX_LABEL:
            message = f"A {one} takes at most {MAX_LABEL} characters; {each!r:.80} has more."
            problems.append(_invalid(message, field, place))
    return sorted((each for each, _ in kept.values()), key=str.casefold), problems


def fold(label: str) -> str:
    """Return the form of a label that filters compare."""
    return label.strip().casefold()


def dump(labels: Sequence[str]) -> str:
    """Return labels as they are stored."""
    return orjson.dumps(labels).decode()


@lru_cache(256)  # cached: each filter of each subscription compares the same labels
def folded(stored: str) -> frozenset[str]:
    """Return the folded labels of a stored list."""
    return frozenset(map(fold, orjson.loads(stored)))


def _invalid(message: str, *path: str | int) -> Problem:
    return Problem(ProblemCode.INVALID, message, path)
