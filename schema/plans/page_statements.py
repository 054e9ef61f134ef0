"""Statements of pages, each prepared for a shape of arguments: the filters present, the order, the direction and the
bounds. Values are parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple, cast

from sqlalchemy import Integer, Select, bindparam
from sqlalchemy.engine import Dialect

from app.models.columns import Name
from app.models.enums import DescribedEnum
from app.pipelines.lists.filters import PipelineFilter, Predicate
from app.pipelines.lists.pagination import Direction, Matches, Order, OrderColumn, Position, Window
from schema.plans.statements import CALLER, CompiledStatement

PREPARED = 1024
"""Number of cached statements of each kind."""
SIZE: Any = bindparam("size", type_=Integer)
Predicates = tuple[tuple[str, str, int | None], ...]
"""Fields and operators of the predicates, with the lengths of lists."""


class Shape(NamedTuple):
    """Cache key of a statement's text."""

    predicates: Predicates
    column: OrderColumn = "created_at"
    direction: Direction = Direction.DESC
    backward: bool = False
    is_after: bool = False
    is_before: bool = False

    @property
    def order(self) -> Order:
        return Order(self.column, self.direction)

    def matches(self) -> Matches:
        return Matches(CALLER, PipelineFilter(tuple(starmap(_predicate, self.predicates))), self.order)

    def window(self) -> Window:
        after = self.position("after") if self.is_after else None
        before = self.position("before") if self.is_before else None
        return Window(SIZE, self.backward, after, before)

    def position(self, name: str) -> Position:
        value, id = (bindparam(f"{name}_{i}", type_=column.type) for i, column in enumerate(self.order.columns))
        return value, id  # type: ignore[return-value]


def shape_of(predicates: Sequence[Predicate]) -> Predicates:
    return tuple((each[0], each[1], len(each[2]) if isinstance(each[2], list | tuple) else None) for each in predicates)


def operands_of(predicates: Sequence[Predicate]) -> dict[str, Any]:
    """Return parameters by name: a field and an operator."""
    return {f"{field}_{operator}": operand for field, operator, operand in predicates}


def parameters(**values: Any) -> dict[str, Any]:
    """Return parameters by name; each item of a list or a position has its own."""
    found = {}
    for name, value in values.items():
        if isinstance(value, list | tuple):
            found.update({f"{name}_{i}": item for i, item in enumerate(value)})
        else:
            found[name] = value
    return found


def _predicate(field: str, operator: str, length: int | None) -> Predicate:
    name = f"{field}_{operator}"
    if length is None:
        return Predicate(field, operator, bindparam(name))
    return Predicate(field, operator, [bindparam(f"{name}_{i}", type_=Name(DescribedEnum)) for i in range(length)])


def page(dialect: Dialect, shape: Shape, place: int, columns: tuple[Any, ...]) -> CompiledStatement:
    """Compile the statement of a page: the columns of the position first, then `columns`."""
    columns = (*shape.order.columns[:place], *columns)
    query = shape.matches().page(shape.window())
    return CompiledStatement(query.with_only_columns(*columns, maintain_column_froms=True), dialect)


@lru_cache(PREPARED)
def total(dialect: Dialect, predicates: Predicates) -> CompiledStatement:
    return CompiledStatement(Shape(predicates).matches().total(), dialect)


@lru_cache(PREPARED)
def counts(dialect: Dialect, predicates: Predicates) -> CompiledStatement:
    return CompiledStatement(cast(Select[Any], Shape(predicates).matches().counts()), dialect)


@lru_cache(PREPARED)
def anything(dialect: Dialect, shape: Shape, inclusive: bool) -> CompiledStatement:
    """Compile the statement that checks for rows beyond the position `at`."""
    query = shape.matches().beyond(shape.position("at"), backward=shape.backward, inclusive=inclusive)
    return CompiledStatement(query, dialect)
