"""SQL that differs between databases: its interface, and the registry of its implementations by dialect.

It is in the lowest layer, because column types use it. The folder of each database in `app.database` implements it in
`sql.py`; `app.database.connect` registers the implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import Insert, Select, func, literal_column
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.types import TypeEngine

SqlPart = Any
"""Part of JSON encoded by the database: a constant as `str`, anything else as SQL."""


class Sql(Protocol):
    """SQL dialect of one database, with the error codes of its drivers."""

    dialects: tuple[str, ...]
    """Names of the SQLAlchemy dialects that it serves."""
    is_file: bool
    """Whether a database is a file, which one process writes. Otherwise it is a server, which many processes use."""
    notify: str | None
    """Statement of the driver that sends a notification with the transaction; its parameters are channel and payload.
    None if only one process writes; that process publishes its changes after the commit."""
    errors: tuple[type[Exception], ...]
    """Exception types of the drivers."""
    instants_are_text: bool
    """Whether the driver returns times as the text of the APIs."""
    limits_values: bool
    """Whether the database raises an error for a value that is longer than a query allows. Otherwise plans truncate
    the JSON that the database encodes."""
    numbers_rows: bool
    """Whether rows have numbers, and lists probe which predicates match few of them, because the database has no
    statistics of values. Otherwise lists probe only what statistics and indexes do not serve."""
    has_encoded_pages: bool
    """Whether the statement of a page encodes its rows as JSON where it can."""
    has_list_statements: bool
    """Whether JSON lists of several parents are read by a statement of their own. Otherwise they are subqueries in the
    statement of the parents."""

    def is_unavailable(self, error: BaseException) -> bool:
        """Return whether an error of a driver means that the database is temporarily unavailable."""

    # Column types

    def binary(self) -> TypeEngine[Any]:
        """Return the type of strings that are compared byte by byte."""

    def instant(self) -> TypeEngine[Any]:
        """Return the type of UTC times with microseconds."""

    def json(self) -> TypeEngine[Any]:
        """Return the type of JSON that is read and written as text."""

    # Statements

    def contains(self, arguments: str) -> str:
        """Return the condition that a text contains another one; `arguments` are both in SQL."""

    def search(self, text: str, part: str) -> str:
        """Return the condition that a text contains a part of three characters or more, in the form that an index of
        trigrams serves."""

    def starts_with(self, text: str, part: str) -> str:
        """Return the condition that a text starts with a part; both are in SQL, and `part` is a parameter."""

    def octets(self, column: Any) -> Any:
        """Return the number of bytes of a text or JSON column."""

    def stored_octets(self, column: Any) -> Any:
        """Return the number of bytes that the database stores for a text or JSON column, without reading its value."""

    def ids(self, name: str) -> Any:
        """Return a column with the ids of one parameter, so that the SQL does not depend on their number."""

    def encode_ids(self, ids: list[str]) -> Any:
        """Return the value of the parameter of `ids`."""

    def pairs(self, name: str) -> Any:
        """Return a table with the columns `key` and `value` of one parameter, which is a JSON object of texts."""

    def upsert(self, model: Any, values: Mapping[str, Any], key: str) -> Insert:
        """Return a statement that inserts a row, or updates the one with the same key."""

    # Plans of GraphQL operations

    def nested(self, query: Select[Any], columns: Iterable[Any]) -> Any:
        """Return the rows of a query as one value. None if a statement of its own is at least as fast."""

    def aggregate(
        self, query: Select[Any], parent: Any, item: Any, order: Any, wrap: Callable[[Any], Any]
    ) -> Select[Any]:
        """Return a query for the items of the rows about a parent, as `wrap` makes one value from their list with
        commas."""

    def concat(self, pieces: list[Any]) -> Any:
        """Concatenate texts."""

    def utf8(self, text: Any) -> Any:
        """Return a text as bytes."""

    def json_column(self, column: Any) -> Any:
        """Return a JSON column as text."""

    def json_integer(self, column: Any, least: int, most: int) -> Any:
        """Return the JSON of an integer, or an error for a value out of range, which the executor reports."""

    def json_instant(self, column: Any) -> list[SqlPart]:
        """Return the JSON of a time."""

    def json_string(self, column: Any) -> Any:
        """Return the JSON of a text."""


_registered: dict[str, Sql] = {}


def register(sql: Sql) -> None:
    """Register the SQL of a database."""
    _registered.update(dict.fromkeys(sql.dialects, sql))


def sql_of(dialect: Dialect | type[Dialect]) -> Sql:
    """Return the SQL of a dialect. Raises LookupError if no database with this dialect is registered."""
    try:
        return _registered[dialect.name]
    except KeyError:
        known = ", ".join(_registered) or "none, because app.database.connect is not imported"
        raise LookupError(f"No SQL is registered for the dialect `{dialect.name}`; registered are: {known}.") from None


def registered() -> Iterable[Sql]:
    """Return the SQL of all databases."""
    return dict.fromkeys(_registered.values())


def is_file(url: URL) -> bool:
    """Return whether the database at `url` is a file, which one process writes."""
    return sql_of(url.get_dialect()).is_file


def constant(text: str) -> Any:
    """Return a text constant without characters that need escapes."""
    return literal_column(f"'{text}'")


NULL = constant("null")


def or_null(column: Any, json: Any) -> Any:
    """Return the JSON of a column, or null if the column is null."""
    return func.coalesce(json, NULL) if column.nullable else json
