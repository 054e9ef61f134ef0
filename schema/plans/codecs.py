"""Codecs: conversion of stored values to JSON. Most values need none."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import Boolean, Float, Integer, String, Text, case, cast, func, literal_column
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models.columns import Id, Instant, JsonText, Name, instant_text
from schema.plans.selections import Unplanned

LEAST, MOST = -(2**31), 2**31 - 1
"""Range of GraphQL's Int."""
SqlPart = Any
"""Part of JSON encoded by the database: a constant as `str`, anything else as SQL."""


class NoJsonSql(Exception):
    """The database cannot encode this value as the answer shows it."""


def converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return the converter from non-null values of a column type to the executor's values; None if they are equal.
    Raises Unplanned for values that the executor reports as errors."""
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


def written(column: Any, dialect: Dialect) -> list[SqlPart]:
    """Return the JSON parts of a column. Raises NoJsonSql for floats, which databases round or spell differently."""
    kind = column.type
    by_postgresql = dialect.name == "postgresql"
    when_null = [(column.is_(None), NULL)] if column.nullable else []
    if isinstance(kind, JsonText):
        return [_or_null(column, cast(column, Text) if by_postgresql else column)]
    if isinstance(kind, Boolean):
        return [case(*when_null, (column, _text("true")), else_=_text("false"))]
    if isinstance(kind, Integer):
        if by_postgresql:
            return [_or_null(column, cast(column, Text))]
        # Invalid JSON is an error, which the executor reports.
        fits = column.between(literal_column(str(LEAST)), literal_column(str(MOST)))
        return [case(*when_null, (fits, column), else_=func.json(_text("too large")))]
    if isinstance(kind, Instant) and by_postgresql:
        text = func.to_char(func.timezone(_text("UTC"), column), _text(RFC_3339))
        return [_or_null(column, cast(func.to_json(text), Text))] if column.nullable else ['"', text, '"']
    if isinstance(kind, Instant | Name | Id) and not column.nullable:
        return ['"', column, '"']
    if isinstance(kind, String | TypeDecorator):
        return [_or_null(column, cast(func.to_json(column), Text)) if by_postgresql else func.json_quote(column)]
    raise NoJsonSql


def _or_null(column: Any, json: Any) -> Any:
    return func.coalesce(json, NULL) if column.nullable else json


def _text(text: str) -> Any:
    return literal_column(f"'{text}'")


NULL = _text("null")
RFC_3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
