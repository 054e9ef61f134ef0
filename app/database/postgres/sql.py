"""SQL of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, JSON, DateTime, Insert, Select, String, Text, bindparam, cast, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine, UserDefinedType

from app.models.sql import Sql, SqlPart, constant, or_null

UNAVAILABLE = ("08", "25006", "53", "57", "58")
"""Prefixes of the codes of transient errors: connections, read-only servers, resources, operator intervention, system
errors. https://www.postgresql.org/docs/current/errcodes-appendix.html"""
CLIENT_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Errors that asyncpg raises itself: InterfaceError for a closed connection, and for wrong arguments (then it is a
ValueError); InternalClientError for a connection that the server ends between two messages of a request."""
ERRORS = (asyncpg.PostgresError, *CLIENT_ERRORS)
RFC_3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


class RawJson(UserDefinedType[str]):
    """`json` as text, because SQLAlchemy's own type would parse it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


def _escaped(part: str) -> str:
    """Return a text as a part of a pattern of LIKE."""
    return f"replace(replace(replace({part}, '\\', '\\\\'), '%', '\\%'), '_', '\\_')"


class PostgresSql(Sql):
    """SQL of PostgreSQL."""

    dialects = (postgresql.dialect.name,)
    is_file = False
    notify = "SELECT pg_notify($1, $2)"
    errors = ERRORS
    instants_are_text = False
    limits_values = False
    numbers_rows = False
    has_encoded_pages = False
    has_list_statements = False

    def is_unavailable(self, error: BaseException) -> bool:
        state = getattr(error, "sqlstate", None)
        if state is not None:
            return str(state).startswith(UNAVAILABLE)
        return isinstance(error, CLIENT_ERRORS) and not isinstance(error, ValueError)

    def binary(self) -> TypeEngine[Any]:
        return String(collation="C")

    def instant(self) -> TypeEngine[Any]:
        return DateTime(timezone=True)

    def json(self) -> TypeEngine[Any]:
        return RawJson()

    def contains(self, arguments: str) -> str:
        return f"strpos({arguments}) > 0"

    def search(self, text: str, part: str) -> str:
        return f"{text} LIKE '%' || {_escaped(part)} || '%'"

    def starts_with(self, text: str, part: str) -> str:
        return f"{text} LIKE {_escaped(part)} || '%'"

    def octets(self, column: Any) -> Any:
        return func.octet_length(cast(column, Text))

    def stored_octets(self, column: Any) -> Any:
        return func.pg_column_size(column)

    def ids(self, name: str) -> Any:
        return func.unnest(bindparam(name, type_=ARRAY(String)))

    def encode_ids(self, ids: list[str]) -> Any:
        return ids

    def pairs(self, name: str) -> Any:
        return func.json_each_text(cast(bindparam(name, type_=Text), JSON)).table_valued("key", "value")

    def upsert(self, model: Any, values: Mapping[str, Any], key: str) -> Insert:
        others = {name: value for name, value in values.items() if name != key}
        return postgresql.insert(model).values(values).on_conflict_do_update(index_elements=[key], set_=others)

    def nested(self, query: Select[Any], columns: Iterable[Any]) -> Any:
        whole = query.with_only_columns(func.row(*columns), maintain_column_froms=True)
        return func.array(whole.scalar_subquery())

    def aggregate(
        self, query: Select[Any], parent: Any, item: Any, order: Any, wrap: Callable[[Any], Any]
    ) -> Select[Any]:
        items = func.string_agg(item, constant(",")).aggregate_order_by(order)
        return query.order_by(None).with_only_columns(wrap(items), maintain_column_froms=True)

    def concat(self, pieces: list[Any]) -> Any:
        """Concatenate by operators, because functions take 100 arguments: as a balanced tree, which is shallow and
        copies less than a chain."""
        if len(pieces) == 1:
            return pieces[0]
        middle = len(pieces) // 2
        return self.concat(pieces[:middle]).op("||")(self.concat(pieces[middle:]))

    def utf8(self, text: Any) -> Any:
        return func.convert_to(text, constant("UTF8"))

    def json_column(self, column: Any) -> Any:
        return cast(column, Text)

    def json_integer(self, column: Any, least: int, most: int) -> Any:
        return or_null(column, cast(column, Text))

    def json_instant(self, column: Any) -> list[SqlPart]:
        text = func.to_char(func.timezone(constant("UTC"), column), constant(RFC_3339))
        return [or_null(column, cast(func.to_json(text), Text))] if column.nullable else ['"', text, '"']

    def json_string(self, column: Any) -> Any:
        return or_null(column, cast(func.to_json(column), Text))
