"""Failures of elements: the problems of their configurations, from the stored details."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from app.pipelines.results.parsed import as_object


class ConfigurationProblem(NamedTuple):
    """A problem of the configuration of an element; `path` is its place there, outermost first."""

    element: str
    path: list[str]
    message: str


def problems(failed: Iterable[tuple[str, str | None]]) -> list[ConfigurationProblem]:
    """Return the problems of failed elements, from their names and stored details."""
    return [
        ConfigurationProblem(element, path, message)
        for element, detail in failed
        if detail is not None
        for path, message in _places(as_object(orjson.loads(detail)))
    ]


def _places(detail: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Yield the well-formed problems of a configuration, and the objectives of a validation that failed."""
    found = detail.get("problems")
    for each in map(as_object, found if isinstance(found, list) else []):
        path, message = each.get("path"), each.get("message")
        if isinstance(message, str) and isinstance(path, list) and all(isinstance(it, str | int) for it in path):
            yield [*map(str, path)], message
    for objective, message in as_object(detail.get("failed_objectives")).items():
        if isinstance(message, str):
            yield ["objectives", objective], message
