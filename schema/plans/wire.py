"""What becomes of a stored value on its way into the answer. Most go as they are: a driver gives what JSON takes."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import Boolean, Float, Integer, String, case, func, literal_column
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.columns import Instant, JsonText, Name, instant_text
from schema.plans.selections import Unplanned

LEAST, MOST = -(2**31), 2**31 - 1
"""The integers that GraphQL has."""
Part = Any
"""A part of the JSON that SQLite writes: a constant as `str`, all else as SQL."""


class Unwritable(Exception):
    """SQLite would not write this as it is answered."""


def converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns values of a column type, null aside, into what the executor answers. None: they are that already.
    Unplanned is raised for what the executor makes an error of."""
    if isinstance(kind, JsonText):
        return orjson.Fragment
    if isinstance(kind, Instant):
        return instant_text if dialect.name == "postgresql" else None
    if isinstance(kind, Boolean):
        return None if dialect.supports_native_boolean else (False, True).__getitem__
    if isinstance(kind, Integer):
        return integer
    if isinstance(kind, Float):
        return _float
    return None


def integer(value: int) -> int:
    if not LEAST <= value <= MOST:
        raise Unplanned
    return value


def _float(value: float) -> float:
    if not isfinite(value):
        raise Unplanned
    return value


def written(column: Any) -> list[Part]:
    """What SQLite writes of a column. Unwritable for floating-point numbers: it rounds them."""
    kind = column.type
    null: Any = literal_column("'null'")
    if isinstance(kind, JsonText):
        return [func.coalesce(column, null)]
    if isinstance(kind, Integer):
        # What is no JSON is an error, which the executor then words.
        fits = column.between(literal_column(str(LEAST)), literal_column(str(MOST)))
        return [case((column.is_(None), null), (fits, column), else_=func.json(literal_column("'too large'")))]
    if isinstance(kind, Boolean):
        true: Any = literal_column("'true'")
        return [case((column.is_(None), null), (column, true), else_=literal_column("'false'"))]
    if isinstance(kind, Instant | Name) and not column.nullable:
        return ['"', column, '"']
    if isinstance(kind, String | TypeDecorator):
        return [func.json_quote(column)]
    raise Unwritable
