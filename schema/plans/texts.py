"""What belongs to a row as JSON that SQLite writes: it hands over one value for each parent, where it would hand over
one for each column of each child, and nothing is built of them in Python.

    concat('[', group_concat(concat('{"id":', json_quote(id), ',"attempt":', attempt, '}'), ',' ORDER BY place), ']')
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from itertools import chain, groupby
from typing import Any, NoReturn

import orjson
from sqlalchemy import LargeBinary, Select, String, bindparam, case, cast, func, literal_column, select

from app.readers import Steps
from schema.plans.rows import Compiling, Row, Rows, Run
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import IDS, Statement
from schema.plans.wire import Part, Unwritable, written

MOST_PARTS = 500
"""Of one object: SQLite's functions take 1,000 arguments."""


class Texts:
    """Stands where Rows do, and makes SQL for one row's JSON. Unwritable is raised for what takes more than the columns
    of the row."""

    def __init__(self, compiling: Compiling) -> None:
        self.compiling = compiling
        self._quoted: Any = String().literal_processor(compiling.dialect)  # type: ignore[no-untyped-call]

    def column(self, column: Any) -> list[Part]:
        return written(column)

    def column_or(self, column: Any, name: str) -> list[Part]:
        return ['"', func.coalesce(column, self._expression(name)), '"']

    def is_among(self, column: Any, names: Collection[str]) -> list[Part]:
        found = column.in_([self._expression(name) for name in sorted(names)])
        return [case((found, self._expression("true")), else_=self._expression("false"))]

    def name(self, name: str) -> list[Part]:
        return [f'"{name}"']

    def unless_null(self, column: Any, made: list[Part]) -> list[Part]:
        return [case((column.is_(None), self._expression("null")), else_=self._joined(made))]

    def object(self, type_name: str, details: FieldDetailsList) -> list[Part]:
        parts: list[Part] = []
        for key, each in self.compiling.selections.fields(type_name, details).items():
            parts += [f'{"," if parts else ""}"{key}":', *self.compiling.field(type_name, name_of(each))(self, each)]
        return ["{", *parts, "}"]

    def refuse(self, *_: Any) -> NoReturn:
        raise Unwritable

    place = stored = call = value = refuse

    def list_of(self, parts: list[Part], order: Any) -> Any:
        """The JSON of all rows."""
        items = func.group_concat(self._joined(parts), self._expression(",")).aggregate_order_by(order)
        return self.bytes_of(["[", items, "]"])

    def bytes_of(self, parts: list[Part]) -> Any:
        """In bytes: as text, what is not ASCII would take up to four for each character."""
        return cast(self._joined(parts), LargeBinary)

    def _joined(self, parts: list[Part]) -> Any:
        if len(parts) > MOST_PARTS:
            raise Unwritable
        pieces = (
            [self._expression("".join(part))] if constant else part
            for constant, part in groupby(parts, lambda part: isinstance(part, str))
        )
        return func.concat(*chain.from_iterable(pieces))

    def _expression(self, text: str) -> Any:
        """A constant. What a client chooses of it are keys, in which GraphQL allows letters, digits and underscores."""
        return literal_column(self._quoted(text))


def whole(compiling: Compiling, type_name: str, details: FieldDetailsList) -> Any:
    """The JSON of the one object of a type that a statement finds. None where SQLite cannot write it."""
    return _unless_unwritable(compiling, lambda texts: texts.bytes_of(texts.object(type_name, details)))


def listed(
    parents: Rows | Texts,
    parent_id: Any,
    query: Callable[[Any], Select[Any]],
    order: Any,
    make: Callable[[Texts], list[Part]],
) -> Any:
    """All that belong to a parent, in this order; the rest is as for Children. None where SQLite cannot write them."""
    text = _unless_unwritable(parents.compiling, lambda texts: texts.list_of(make(texts), order))
    if text is None:
        return None

    def of(id: Any) -> Any:
        found = query(id).order_by(None).with_only_columns(text, maintain_column_froms=True)
        return found.scalar_subquery()

    if isinstance(parents, Texts):
        return [of(parent_id)]
    if parents.one and not parents.is_at_hand:  # of many, it would be made for each that is sorted for a page
        return parents.json(of(parent_id))
    lists = Lists(parents, parent_id, of)
    parents.children.append(lists)
    found = parents.value(lambda run: run.found[lists].get)
    return ast.Call(found, [parents.stored(parent_id)], [])


def _unless_unwritable(compiling: Compiling, make: Callable[[Texts], Any]) -> Any:
    if compiling.dialect.name != "sqlite":
        return None
    try:
        return make(Texts(compiling))
    except Unwritable:
        return None


class Lists:
    """Reads the list of each of some parents."""

    def __init__(self, parents: Rows, parent_id: Any, of: Callable[[Any], Any]) -> None:
        ids = func.json_each(bindparam(IDS, type_=String)).table_valued("value")
        self._parent = parents.place(parent_id)
        self._statement = Statement(select(ids.c.value, of(ids.c.value)), parents.compiling.dialect)
        parents.compiling.statements += 1

    def read(self, parents: Sequence[Row], run: Run) -> Steps[None]:
        ids = orjson.dumps([row[self._parent] for row in parents]).decode()
        rows = yield self._statement({"organization_id": run.caller.organization_id, IDS: ids})
        run.found[self] = {id: orjson.Fragment(text) for id, text in rows}
