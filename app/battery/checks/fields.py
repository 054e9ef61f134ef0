"""Fields of a configuration and their checks. A check takes raw JSON and returns a message, or None."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice, pairwise
from typing import Any

from app.execution.executor import Fault

Check = Callable[[Any], str | None]
Path = tuple[str | int, ...]
Settings = dict[str, Any]
"""Fields of a configuration by name, with defaults."""

REQUIRED = object()
MAX_TEXT = 1_000
MAX_SOURCE = 10_000
MOST_UNKNOWN = 100
"""Maximum number of reported unknown fields; a search for similar names takes time."""
MAX_SUGGESTED, MAX_KNOWN, MAX_SUGGESTIONS = 200, 2_000, 10
"""Maximum characters of a name, number of names that it is compared with, and number of unknown names of one kind that
get suggestions."""
NEAR = 0.7
"""Similarity of two names, from 0 to 1, from which one is suggested for the other."""
PRECISION = 6
"""Significant digits of a breakpoint in a parameter's name (`print_precision` in the public API documentation)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its check and its default. `nested` holds the fields of an options object."""

    check: Check
    default: Any = REQUIRED
    nested: Mapping[str, Field] | None = None


def shown(value: Any) -> str:
    """Format a hostile value for a message."""
    return reprlib.repr(value)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite real number: not true or false, NaN or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def number(low: float = -math.inf, high: float = math.inf, *, above: float = -math.inf) -> Check:
    """Return a check for a finite number from `low` to `high`, greater than `above`."""

    def check(value: Any) -> str | None:
        if not is_number(value):
            return f"must be a finite number, not {shown(value)}"
        if value <= above:
            return f"must be greater than {above:g}, not {value:g}"
        return None if low <= value <= high else f"must be from {low:g} to {high:g}, not {value:g}"

    return check


def whole(low: int, high: int) -> Check:
    """Return a check for a whole number from `low` to `high`."""

    def check(value: Any) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"must be a whole number, not {shown(value)}"
        return None if low <= value <= high else f"must be from {low} to {high}, not {shown(value)}"

    return check


def one_of(*words: Any) -> Check:
    """Return a check for one of a few words."""

    def check(value: Any) -> str | None:
        if any(value is word or (type(value) is type(word) and value == word) for word in words):
            return None
        meant = suggestion(value, words)
        return f"takes {' or '.join(map(repr, words))}; {shown(value)} is not supported{meant}"

    return check


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {shown(value)}"


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"must be text, not {shown(value)}"
    return None if 0 < len(value) <= MAX_TEXT else f"must have from 1 to {MAX_TEXT} characters"


def source(value: Any) -> str | None:
    """Check the source of a value, a text that is stored but not used."""
    return None if isinstance(value, str) and len(value) <= MAX_SOURCE else "must be text"


def limits(value: Any) -> str | None:
    """Check a pair of numbers, the lower first."""
    if not (isinstance(value, list) and len(value) == 2 and all(map(is_number, value))):
        return f"must be two finite numbers, not {shown(value)}"
    return None if value[0] < value[1] else f"must be the lower and then the higher, not {shown(value)}"


def breakpoints(most: int) -> Check:
    """Return a check for up to `most` rising numbers that differ in the digits used in parameter names."""

    def check(value: Any) -> str | None:
        if not (isinstance(value, list) and 2 <= len(value) <= most and all(map(is_number, value))):
            return f"must be from 2 to {most} finite numbers, not {shown(value)}"
        if any(left >= right for left, right in pairwise(value)):
            return f"must rise from each number to the next, not {shown(value)}"
        if len({f"{each:.{PRECISION}g}" for each in value}) < len(value):
            return f"must differ in the first {PRECISION} digits, not {shown(value)}"
        return None

    return check


def absent(value: Any) -> str | None:
    """Refuse a field of the public schema that is not supported."""
    return f"is not supported here; leave it out instead of {shown(value)}"


def mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) else f"must be an object, not {shown(value)}"


def options(nested: Mapping[str, Field]) -> Field:
    """Return a field for an object of options, each with a default."""
    return Field(mapping, None, nested)


def suggestion(name: Any, known: Iterable[str]) -> str:
    """Return ` (did you mean …?)` with the most similar known name; empty if none is similar."""
    if not isinstance(name, str) or len(name) > MAX_SUGGESTED:
        return ""
    exact = [each for each in islice(known, MAX_KNOWN) if isinstance(each, str)]
    folded = {each.casefold(): each for each in exact}
    close = get_close_matches(name, exact, 1, NEAR)
    close = close or [folded[each] for each in get_close_matches(name.casefold(), folded, 1, NEAR)]
    return f" (did you mean `{close[0]}`?)" if close else ""


def _meant(name: str, fields: Mapping[str, Field]) -> str:
    return f"{suggestion(name, fields)}; known are {', '.join(fields) or 'none'}"


def settle(fields: Mapping[str, Field], given: Mapping[str, Any], path: Path = ()) -> tuple[Settings, list[Fault]]:
    """Check `given` against fields. Return the settings and every problem."""
    unknown = islice((name for name in given if name not in fields), MOST_UNKNOWN)
    faults = [Fault(f"Unknown field {shown(name)}{_meant(name, fields)}.", (*path, name)) for name in unknown]
    settings: Settings = {}
    for name, field in fields.items():
        value = given.get(name)
        if value is None and field.default is REQUIRED:
            faults.append(Fault(f"`{name}` is missing.", (*path, name)))
        elif value is not None and (problem := field.check(value)):
            faults.append(Fault(f"`{name}` {problem}.", (*path, name)))
        elif field.nested is not None:
            settings[name], deeper = settle(field.nested, value or {}, (*path, name))
            faults += deeper
        else:
            settings[name] = field.default if value is None else value
    return settings, faults
