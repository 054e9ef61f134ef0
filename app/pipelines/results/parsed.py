"""Results of elements, parsed once for all fields that read a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson

from app.pipelines.budget import size_of

WARNING_FIELDS = ("code", "message", "parameter", "objective")
"""Fields of a result's warning; the first two are always present."""


class ParsedResult:
    """Result of an element, parsed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._result: dict[str, Any] = orjson.loads(text)

    @cached_property
    def size(self) -> int:
        """Size of the stored result in bytes."""
        return size_of(self._text)

    @cached_property
    def warnings(self) -> list[dict[str, Any]]:
        """Well-formed warnings."""
        found = self._result.get("warnings")
        return [each for each in found if _is_warning(each)] if isinstance(found, list) else []

    def parameter_values(self, names: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the parameter values, limited to `names`."""
        values: dict[str, Any] = self._result.get("parameter_values") or {}
        return values if names is None else {name: values[name] for name in names if name in values}


class ResultParser:
    """Parser that keeps the last result, so that the fields of one row share one parse."""

    __slots__ = ("_parsed", "_text")

    def __init__(self) -> None:
        self._text: str | None = None
        self._parsed: ParsedResult | None = None

    def __call__(self, text: str | None) -> ParsedResult | None:
        """Return the parsed result; None without a result."""
        if text is not self._text:
            self._text, self._parsed = text, None if text is None else ParsedResult(text)
        return self._parsed


def _is_warning(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    code, message, *others = (value.get(name) for name in WARNING_FIELDS)
    return isinstance(code, str) and isinstance(message, str) and all(isinstance(each, str | None) for each in others)
