"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, DateTime, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from app.words import Word


def now() -> datetime:
    return datetime.now(UTC)


@lru_cache(16)  # many rows that are written together have one
def instant_text(value: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-11-23T10:00:00.000000Z`, the one form that the APIs show."""
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "Z"


class Binary(TypeDecorator[str]):
    """A string that both databases compare byte by byte."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(collation="C" if dialect.name == "postgresql" else None))


class Id(Binary):
    """An id that was made here, of letters, digits and dashes: no JSON need escape any of it."""

    cache_ok = True


class Name(TypeDecorator[Word]):
    """The name of an enum's member, as text: both databases order it alike, and no ALTER TYPE is ever needed."""

    impl = Binary
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:
        return None if value is None else value.name

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:
        return None if value is None else self.words[value]


class Instant(TypeDecorator[datetime]):
    """A UTC time with microseconds: the text of `instant_text` in SQLite, which sorts as time does."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else instant_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class RawJson(UserDefinedType[str]):
    """PostgreSQL's `json`, as the text it is: SQLAlchemy's own type would parse it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


class JsonText(TypeDecorator[str]):
    """JSON kept as the very text that was stored: key order and number spelling survive, nothing is parsed."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(RawJson() if dialect.name == "postgresql" else Text())


class Contains(FunctionElement[bool]):
    """`Contains(text, part)`: whether a text has another in it, to the character. There is no pattern, so nothing to
    escape, nor a limit to its length, as SQLite has for patterns."""

    type = Boolean()
    inherit_cache = True


@compiles(Contains)
def _instr(element: Contains, compiler: SQLCompiler, **words: Any) -> str:
    return f"instr({compiler.process(element.clauses, **words)}) > 0"


@compiles(Contains, "postgresql")
def _strpos(element: Contains, compiler: SQLCompiler, **words: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **words)}) > 0"
