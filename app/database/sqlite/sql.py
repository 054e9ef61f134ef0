"""SQL of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import apsw
import orjson
from sqlalchemy import Insert, LargeBinary, Select, String, Text, bindparam, case, cast, func, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.default import StrCompileDialect
from sqlalchemy.types import TypeEngine

from app.models.columns import instant_text
from app.models.sql import NULL, Sql, SqlPart, constant

UNAVAILABLE = {
    apsw.SQLITE_BUSY,
    apsw.SQLITE_LOCKED,
    apsw.SQLITE_NOMEM,
    apsw.SQLITE_READONLY,
    apsw.SQLITE_IOERR,
    apsw.SQLITE_FULL,
    apsw.SQLITE_CANTOPEN,
}
"""Primary codes of transient errors."""


class InstantText(String):
    """Time as the text of `instant_text`, which sorts chronologically."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        return _text_or_none


def _text_or_none(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


class SqliteSql(Sql):
    """SQL of SQLite, also for SQLAlchemy's generic dialect, which prints statements."""

    dialects = (sqlite.dialect.name, StrCompileDialect.name)
    is_file = True
    notify = None
    errors = (apsw.Error, sqlite3.Error)
    instants_are_text = True
    limits_values = True
    numbers_rows = True
    has_encoded_pages = True
    has_list_statements = True  # for a page, SQLite would evaluate a subquery for every sorted row

    def is_unavailable(self, error: BaseException) -> bool:
        if not isinstance(error, self.errors):
            return False
        code: int = getattr(error, "extendedresult", getattr(error, "sqlite_errorcode", 0))
        return code & 0xFF in UNAVAILABLE  # extended codes only refine the primary code

    def binary(self) -> TypeEngine[Any]:
        return String()

    def instant(self) -> TypeEngine[Any]:
        return InstantText()

    def json(self) -> TypeEngine[Any]:
        return Text()

    def contains(self, arguments: str) -> str:
        return f"instr({arguments}) > 0"

    def search(self, text: str, part: str) -> str:
        return self.contains(f"{text}, {part}")

    def starts_with(self, text: str, part: str) -> str:
        return f"instr({text}, {part}) = 1"

    def octets(self, column: Any) -> Any:
        return func.octet_length(column)

    def stored_octets(self, column: Any) -> Any:
        return self.octets(column)

    def ids(self, name: str) -> Any:
        return func.json_each(bindparam(name, type_=String)).table_valued("value").c.value

    def encode_ids(self, ids: list[str]) -> Any:
        return orjson.dumps(ids).decode()

    def pairs(self, name: str) -> Any:
        return func.json_each(bindparam(name, type_=String)).table_valued("key", "value")

    def upsert(self, model: Any, values: Mapping[str, Any], key: str) -> Insert:
        others = {name: value for name, value in values.items() if name != key}
        return sqlite.insert(model).values(values).on_conflict_do_update(index_elements=[key], set_=others)

    def nested(self, query: Select[Any], columns: Iterable[Any]) -> Any:
        """Return None: statements need no round trips."""

    def aggregate(
        self, query: Select[Any], parent: Any, item: Any, order: Any, wrap: Callable[[Any], Any]
    ) -> Select[Any]:
        # An ordered aggregate would first keep all rows in a table of its own; an index gives the rows in order.
        items = query.order_by(None).with_only_columns(item.label("item"), maintain_column_froms=True)
        ordered = items.order_by(order).correlate(parent).subquery()
        return select(wrap(func.group_concat(ordered.c.item, constant(",")))).select_from(ordered)

    def concat(self, pieces: list[Any]) -> Any:
        return func.concat(*pieces)

    def utf8(self, text: Any) -> Any:
        return cast(text, LargeBinary)

    def json_column(self, column: Any) -> Any:
        return column

    def json_integer(self, column: Any, least: int, most: int) -> Any:
        when_null = [(column.is_(None), NULL)] if column.nullable else []
        fits = column.between(literal_column(str(least)), literal_column(str(most)))
        # Invalid JSON is an error, which the executor reports.
        return case(*when_null, (fits, column), else_=func.json(constant("too large")))

    def json_instant(self, column: Any) -> list[SqlPart]:
        return [self.json_string(column)] if column.nullable else ['"', column, '"']

    def json_string(self, column: Any) -> Any:
        return func.json_quote(column)
