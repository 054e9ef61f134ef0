"""From rows to the answer. A statement selects the columns of an object in the order in which the answer has its
fields, so that a row only needs names to become an object; the few values that differ on the wire are mended then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql.execution.values import VariableValues
from sqlalchemy import ColumnElement, Select
from sqlalchemy.engine import Dialect

from app.callers import Caller
from app.readers import Steps
from schema.plans.selections import FieldDetailsList, Selections, name_of
from schema.plans.statements import IDS, Statement, ids_given, ids_parameter
from schema.plans.wire import converter

Row = Any
"""A tuple, or what a driver has for one."""
Of = Callable[[Row], Any]
"""A value of the answer, from a row."""


class Run:
    """One run of a plan: for whom, with which variables, and what it has read so far."""

    __slots__ = ("caller", "children", "values")

    def __init__(self, caller: Caller, values: VariableValues) -> None:
        self.caller, self.values = caller, values
        self.children: dict[Children, dict[str, list[Any]]] = {}


class Value(NamedTuple):
    """What a field reads: a column, and what makes the field's value of the column's, or of the whole row."""

    column: Any
    convert: Callable[[Any], Any] | None = None
    of: Callable[[Run], Of] | None = None


Field = Callable[["Rows", FieldDetailsList], Value]
"""How a field is read, once it is known what is selected below it."""


@dataclass(frozen=True, slots=True)
class Compiling:
    """What is known while a plan is made."""

    selections: Selections
    dialect: Dialect
    field: Callable[[str, str], Field]
    """How a field of a type is read. Unplanned where no plan knows."""


class Rows:
    """The rows of one statement: the columns that are read, and what is read by further statements for each."""

    def __init__(self, compiling: Compiling) -> None:
        self.compiling = compiling
        self.columns: list[Any] = []
        self.children: list[Children] = []

    def add(self, column: Any) -> int:
        """Read one more column: its place in each row."""
        self.columns.append(column)
        return len(self.columns) - 1

    def object(self, type_name: str, details: FieldDetailsList) -> Object:
        """Objects of a type, one from each row."""
        fields = self.compiling.selections.fields(type_name, details)
        start = len(self.columns)
        self.columns += [None] * len(fields)  # what fields add stands behind all that the object consists of
        found = Object(start, tuple(fields))
        for place, (key, each) in enumerate(fields.items(), start):
            value = self.compiling.field(type_name, name_of(each))(self, each)
            self.columns[place] = value.column
            found.add(key, value, self.compiling.dialect)
        return found

    def select(self, query: Select[Any], *more: Any) -> Statement:
        """The query, reading these columns and no other, and `more` behind them."""
        return Statement(
            query.with_only_columns(*self.columns, *more, maintain_column_froms=True), self.compiling.dialect
        )

    def read_children(self, rows: list[Row], run: Run) -> Steps[None]:
        for each in self.children:
            yield from each.read(rows, run)


class Object:
    """Makes an object of the answer from a row."""

    def __init__(self, start: int, keys: tuple[str, ...]) -> None:
        self._start, self._keys = start, keys
        self._converted: list[tuple[str, Callable[[Any], Any]]] = []
        self._of: list[tuple[str, Callable[[Run], Of]]] = []

    def add(self, key: str, value: Value, dialect: Dialect) -> None:
        if value.of is not None:
            self._of.append((key, value.of))
        elif convert := value.convert or converter(value.column.type, dialect):
            self._converted.append((key, convert))

    def bind(self, run: Run) -> Of:
        start, keys, converted = self._start, self._keys, self._converted
        made = [(key, of(run)) for key, of in self._of]

        def build(row: Row) -> dict[str, Any]:
            answer = dict(zip(keys, row[start:] if start else row, strict=False))
            for key, convert in converted:
                answer[key] = convert(answer[key])
            for key, make in made:
                answer[key] = make(row)
            return answer

        return build


class Children:
    """The rows that belong to those of another statement, by the ids there."""

    def __init__(self, parents: Rows, parent_id: Any) -> None:
        self.rows = Rows(parents.compiling)
        self._parent = parents.add(parent_id)
        self._more: Callable[[Run], dict[str, Any]] | None = None
        parents.children.append(self)

    def reads(
        self,
        query: Callable[[Any], Select[Any]],
        by: Any,
        make: Callable[[Run], Of],
        more: Callable[[Run], dict[str, Any]] | None = None,
    ) -> Children:
        """Say what is read: a query for the ids of parents, the column that has them, what becomes of each row, and
        the parameters that the query has besides."""
        self._by, self._make, self._more = self.rows.add(by), make, more
        self._statement = self.rows.select(query(ids_given(self.rows.compiling.dialect)))
        return self

    def read(self, parents: list[Row], run: Run) -> Steps[None]:
        found: dict[str, list[Any]] = {}
        run.children[self] = found
        if not parents:
            return
        ids = ids_parameter([row[self._parent] for row in parents], self.rows.compiling.dialect)
        parameters = {"organization_id": run.caller.organization_id, IDS: ids}
        if self._more is not None:
            parameters |= self._more(run)
        rows = yield self._statement(parameters)
        yield from self.rows.read_children(rows, run)
        make, by = self._make(run), self._by
        for row in rows:
            found.setdefault(row[by], []).append(make(row))

    def all(self, run: Run) -> Of:
        """All that belong to a parent's row."""
        found, place = run.children[self], self._parent
        return lambda row: found.get(row[place], [])

    def first(self, run: Run) -> Of:
        """The first that belongs to a parent's row; None where none does."""
        found, place = run.children[self], self._parent
        return lambda row: found.get(row[place], [None])[0]
