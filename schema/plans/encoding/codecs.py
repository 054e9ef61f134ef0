"""Codecs: conversion of stored values to JSON. Most values need none."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import Boolean, Float, Integer, String, case
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models.columns import Id, Instant, JsonText, Name, instant_text
from app.models.sql import NULL, Sql, SqlPart, constant, or_null, sql_of
from schema.plans.selections import Unplanned

LEAST, MOST = -(2**31), 2**31 - 1
"""Range of GraphQL's Int."""


class NoJsonSql(Exception):
    """The database cannot encode this value as the answer shows it."""


def converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return the converter from non-null values of a column type to the executor's values; None if they are equal.
    Raises Unplanned for values that the executor reports as errors."""
    if isinstance(kind, JsonText):
        return orjson.Fragment
    if isinstance(kind, Instant):
        return None if sql_of(dialect).instants_are_text else instant_text
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


def written(column: Any, sql: Sql) -> list[SqlPart]:
    """Return the JSON parts of a column. Raises NoJsonSql for floats, which databases round or spell differently."""
    kind = column.type
    if isinstance(kind, JsonText):
        return [or_null(column, sql.json_column(column))]
    if isinstance(kind, Boolean):
        when_null = [(column.is_(None), NULL)] if column.nullable else []
        return [case(*when_null, (column, constant("true")), else_=constant("false"))]
    if isinstance(kind, Integer):
        return [sql.json_integer(column, LEAST, MOST)]
    if isinstance(kind, Instant):
        return sql.json_instant(column)
    if isinstance(kind, Name | Id) and not column.nullable:
        return ['"', column, '"']
    if isinstance(kind, String | TypeDecorator):
        return [sql.json_string(column)]
    raise NoJsonSql
