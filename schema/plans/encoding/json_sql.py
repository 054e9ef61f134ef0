"""JSON aggregation: SQL that encodes the children of a row as JSON, so that the database returns one value per parent
instead of one per column and child, and Python builds no objects.

concat('[', group_concat(concat('{"name":', json_quote(name), ',"id":"', id, '"}'), ',' ORDER BY place), ']')
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any, NoReturn

import orjson
from sqlalchemy import Select, String, case, func, literal_column, select

from app.database.interface import Steps, TooLong, measured
from app.models.sql import SqlPart
from schema.plans.encoding.codecs import NoJsonSql, written
from schema.plans.row_builder import MOST_BYTES, CompileContext, Row, RowBuilder
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import IDS, CompiledStatement, Run

MOST_PARTS = 500
"""Maximum number of parts of an object: SQLite's functions take 1,000 arguments. PostgreSQL's take 100, so operators
are used there."""


class JsonSqlBuilder:
    """Counterpart of RowBuilder that builds SQL for the JSON of one row. Raises NoJsonSql if the selection needs more
    than the row's columns."""

    def __init__(self, compiling: CompileContext) -> None:
        self.compiling = compiling
        self._sql = compiling.sql
        self._quoted: Any = String().literal_processor(compiling.dialect)  # type: ignore[no-untyped-call]

    def column(self, column: Any) -> list[SqlPart]:
        return written(column, self._sql)

    def column_or(self, column: Any, name: str) -> list[SqlPart]:
        return ['"', func.coalesce(column, self._expression(name)), '"']

    def is_among(self, column: Any, names: Collection[str]) -> list[SqlPart]:
        found = column.in_([self._expression(name) for name in sorted(names)])
        return [case((found, self._expression("true")), else_=self._expression("false"))]

    def name(self, name: str) -> list[SqlPart]:
        return [f'"{name}"']

    def unless_null(self, column: Any, made: list[SqlPart]) -> list[SqlPart]:
        return [case((column.is_(None), self._expression("null")), else_=self.joined(made))]

    def object(self, type_name: str, details: FieldDetailsList) -> list[SqlPart]:
        parts: list[SqlPart] = []
        for key, each in self.compiling.selections.fields(type_name, details).items():
            parts += [f'{"," if parts else ""}"{key}":', *self.compiling.field(type_name, name_of(each))(self, each)]
        return ["{", *parts, "}"]

    def refuse(self, *_: Any) -> NoReturn:
        raise NoJsonSql

    place = stored = call = value = weigh = parsed_result = refuse

    def list_of(self, query: Select[Any], parent: Any, item: Any, order: Any, *, in_bytes: bool) -> Any:
        """Return a query for the JSON of all rows about a parent, each encoded as `item`."""

        def wrap(items: Any) -> Any:
            whole = self.joined(["[", func.coalesce(items, self._expression("")), "]"])
            return self.in_bytes(whole) if in_bytes else whole

        return self._sql.aggregate(query, parent, item, order, wrap)

    def in_bytes(self, whole: Any) -> Any:
        """Return JSON as bytes: as text, characters beyond ASCII would take up to four bytes each."""
        return self._sql.utf8(whole)

    def joined(self, parts: list[SqlPart]) -> Any:
        if len(parts) > MOST_PARTS:
            raise NoJsonSql
        pieces = [
            piece
            for constant, part in groupby(parts, lambda part: isinstance(part, str))
            for piece in ([self._expression("".join(part))] if constant else part)
        ]
        return self._sql.concat(pieces)

    def _expression(self, text: str) -> Any:
        """Return a constant. The client chooses keys only, which consist of letters, digits and underscores."""
        return literal_column(self._quoted(text))


def whole(compiling: CompileContext, type_name: str, details: FieldDetailsList) -> Any:
    """Return the SQL for the JSON of a row's object. None if the database cannot encode it."""
    return _unless_unwritable(compiling, lambda texts: texts.in_bytes(texts.joined(texts.object(type_name, details))))


def listed(
    parents: RowBuilder | JsonSqlBuilder,
    parent_id: Any,
    query: Callable[[Any], Select[Any]],
    order: Any,
    make: Callable[[JsonSqlBuilder], list[SqlPart]],
) -> Any:
    """Return a correlated subquery for a parent's children as one JSON array. None if this database or a column cannot
    be encoded in SQL; ChildRows serves then."""
    has_statement = parents.compiling.sql.has_list_statements
    if not has_statement and isinstance(parents, RowBuilder) and parents.is_at_hand:
        return None
    is_inside = isinstance(parents, JsonSqlBuilder)

    written = _unless_unwritable(parents.compiling, lambda texts: (texts, texts.joined(make(texts))))
    if written is None:
        return None
    texts, item = written

    def of(id: Any) -> Any:
        return texts.list_of(query(id), id.table, item, order, in_bytes=not is_inside).scalar_subquery()

    if isinstance(parents, JsonSqlBuilder):
        return [of(parent_id)]
    if not has_statement or (parents.one and not parents.is_at_hand):
        return parents.json(of(parent_id))
    lists = JsonLists(parents, parent_id, of)
    parents.children.append(lists)
    found = parents.value(lambda run: run.found[lists].get)
    return ast.Call(found, [parents.stored(parent_id)], [])


def _unless_unwritable(compiling: CompileContext, make: Callable[[JsonSqlBuilder], Any]) -> Any:
    if not compiling.has_texts:
        return None
    try:
        return make(JsonSqlBuilder(compiling))
    except NoJsonSql:
        return None


class TextMeasure:
    """Measure of the texts that are read, by their places. Raises TooLong if the plan should read rows instead."""

    places = ()  # the limit of the connection bounds each text

    def __init__(self, *texts: int) -> None:
        self._texts, self._left = texts, MOST_BYTES

    def __call__(self, rows: Sequence[Row]) -> None:
        for place in self._texts:
            self._left -= sum([len(row[place]) for row in rows])
        if self._left < 0:
            raise TooLong


class JsonLists:
    """Reader of the child lists of several parents, by a statement of its own."""

    def __init__(self, parents: RowBuilder, parent_id: Any, of: Callable[[Any], Any]) -> None:
        sql = parents.compiling.sql
        ids = sql.ids(IDS)
        self._parent, self._encoded = parents.place(parent_id), sql.encode_ids
        self._statement = CompiledStatement(select(ids, of(ids)), parents.compiling.dialect)
        parents.compiling.statements += 1
        parents.compiling.limit_texts()

    def read(self, parents: Sequence[Row], run: Run) -> Steps[None]:
        ids = self._encoded([row[self._parent] for row in parents])
        parameters = {"organization_id": run.caller.organization_id, IDS: ids}
        rows = yield measured(self._statement(parameters), TextMeasure(1))
        run.found[self] = {id: orjson.Fragment(text) for id, text in rows}
