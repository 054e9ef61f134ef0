"""Places in the text of a JSON file: from a path of keys and indices to a line and a column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SPACE = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


class Place(NamedTuple):
    """Line and column in a text, both from 1."""

    line: int
    column: int


def find_place(text: str, path: Sequence[str]) -> Place:
    """Return the place of a value in valid JSON text: of its key, if it has one. A path that leads nowhere gives the
    place of the deepest value on it."""
    at = value = _skip(text, 0)
    for step in path:
        found = next(((key, start) for key, start, name in _members(text, value) if name == step), None)
        if found is None:
            break
        at, value = found
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _members(text: str, start: int) -> Iterator[tuple[int, int, str]]:
    """Yield the place of each member of an object or a list, that of its value, and its key or index."""
    kind, at, index = text[start], _skip(text, start + 1), 0
    while kind in "{[" and text[at] not in "}]":
        key, name = at, str(index)
        if kind == "{":
            name, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # a colon
        yield key, at, name
        at = _skip(text, _decoder.raw_decode(text, at)[1])
        at, index = _skip(text, at + (text[at] == ",")), index + 1


def _skip(text: str, at: int) -> int:
    """Return the place after white space."""
    matched = SPACE.match(text, at)
    assert matched is not None
    return matched.end()
