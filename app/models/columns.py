"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models.enums import DescribedEnum
from app.models.sql import sql_of


def now() -> datetime:
    return datetime.now(UTC)


@lru_cache(16)  # cached: rows of one transaction share a timestamp
def instant_text(value: datetime) -> str:
    """Format a time by RFC 3339 in UTC with microseconds: `2026-11-23T10:00:00.000000Z`, the one format of both
    APIs."""
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


class Binary(TypeDecorator[str]):
    """String that both databases compare byte by byte."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sql_of(dialect).binary())


class Id(Binary):
    """Id made by the server, of letters, digits and dashes; JSON needs no escapes for it."""

    cache_ok = True


class Name(TypeDecorator[DescribedEnum]):
    """Enum stored by its member's name as text: both databases order it alike, and no ALTER TYPE is needed."""

    impl = Binary
    cache_ok = True

    def __init__(self, words: type[DescribedEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: DescribedEnum | None, dialect: Dialect) -> str | None:
        return _name_or_none(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[DescribedEnum | None], str | None]:
        """Return the conversion itself: TypeDecorator's takes two calls more for each value."""
        return _name_or_none

    def process_result_value(self, value: str | None, dialect: Dialect) -> DescribedEnum | None:
        return None if value is None else self.words[value]

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], DescribedEnum | None]:
        members: dict[Any, Any] = {None: None, **self.words.__members__}
        return members.__getitem__


def _name_or_none(value: DescribedEnum | None) -> str | None:
    return None if value is None else value.name


class Instant(TypeDecorator[datetime]):
    """UTC time with microseconds; in SQLite the text of `instant_text`, which sorts chronologically."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sql_of(dialect).instant())

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return _parse_instant(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _parse_instant


def _parse_instant(value: Any) -> datetime | None:
    parsed: datetime | None = datetime.fromisoformat(value) if isinstance(value, str) else value
    return parsed


class JsonText(TypeDecorator[str]):
    """JSON stored as text: key order and number spelling are kept, and nothing is parsed."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sql_of(dialect).json())


def without_index(column: Any) -> Any:
    """Return a column in a form that no index of SQLite serves. https://www.sqlite.org/optoverview.html"""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


class Contains(FunctionElement[bool]):
    """`Contains(text, part)`: substring search by characters. No pattern is used, so nothing needs escapes and the
    length is not limited, unlike SQLite's LIKE."""

    type = Boolean()
    inherit_cache = True


class Search(Contains):
    """`Search(text, part)`: substring search that an index of trigrams may serve; `part` has three characters or
    more."""

    inherit_cache = True


class StartsWith(Contains):
    """`StartsWith(text, part)`: whether a text starts with a part, in the form that an index may serve."""

    inherit_cache = True


@compiles(StartsWith)
def _starts_with(element: StartsWith, compiler: SQLCompiler, **words: Any) -> str:
    text, part = (compiler.process(each, **words) for each in element.clauses)
    return sql_of(compiler.dialect).starts_with(text, part)


@compiles(Search)
def _search(element: Search, compiler: SQLCompiler, **words: Any) -> str:
    text, part = (compiler.process(each, **words) for each in element.clauses)
    return sql_of(compiler.dialect).search(text, part)


@compiles(Contains)
def _contains(element: Contains, compiler: SQLCompiler, **words: Any) -> str:
    return sql_of(compiler.dialect).contains(compiler.process(element.clauses, **words))
