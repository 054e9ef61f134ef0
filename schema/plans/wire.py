"""What becomes of a stored value on its way into the answer. Most go as they are: a driver gives what JSON takes."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import Boolean, Float, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from app.columns import Instant, JsonText, instant_text
from schema.plans.selections import Unplanned

Convert = Callable[[Any], Any]
LARGEST_INT, SMALLEST_INT = 2**31 - 1, -(2**31)


def converter(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """What turns values of a column type into what the executor answers. None: they are that already."""
    if isinstance(kind, JsonText):
        return _json
    if isinstance(kind, Instant):
        return _instant if dialect.name == "postgresql" else None
    if isinstance(kind, Boolean):
        return None if dialect.supports_native_boolean else {None: None, 0: False, 1: True}.__getitem__
    if isinstance(kind, Integer):
        return _int
    if isinstance(kind, Float):
        return _float
    return None


def _json(text: str | None) -> Any:
    return None if text is None else orjson.Fragment(text)


def _instant(value: Any) -> str | None:
    return None if value is None else instant_text(value)


def _int(value: int | None) -> int | None:
    if value is not None and not SMALLEST_INT <= value <= LARGEST_INT:
        raise Unplanned
    return value


def _float(value: float | None) -> float | None:
    if value is not None and not isfinite(value):
        raise Unplanned
    return value
