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
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        return [], [_invalid(f"`{field}` must be a list of texts.", field)]
    kept: dict[str, str] = {}
    for each in given:
        kept.setdefault(fold(each), each.strip())
    problems = []
    if "" in kept:
        problems.append(_invalid(f"A {one} must not be empty.", field))
    if len(kept) > MAX_LABELS:
        problems.append(_invalid(f"A {owner} takes at most {MAX_LABELS} {field}, not {len(kept)}.", field))
    if long := [each for each in kept.values() if len(each) > MAX_LABEL]:
        message = f"A {one} takes at most {MAX_LABEL} characters; {long[0]!r:.80} has more."
        problems.append(_invalid(message, field))
    return sorted(kept.values(), key=str.casefold), problems


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


def _invalid(message: str, field: str) -> Problem:
    return Problem(ProblemCode.INVALID, message, (field,))
