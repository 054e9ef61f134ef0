"""Statements of pages, each prepared for a shape of arguments: the filters present, the order, the direction and the
bounds. Values are parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Integer, Select, bindparam
from sqlalchemy.engine import Dialect

from app.models.columns import Name
from app.models.enums import DescribedEnum
from app.pipelines.pagination import Direction, Matches, Order, OrderField, Position, Window
from schema.plans.statements import CALLER, CompiledStatement

PREPARED = 1024
"""Number of cached statements of each kind."""
SIZE: Any = bindparam("size", type_=Integer)
Operands = tuple[tuple[str, int | None], ...]
"""Filters that are present, with the lengths of lists."""


class Shape(NamedTuple):
    """Cache key of a statement's text."""

    operands: Operands
    field: OrderField = OrderField.CREATED_AT
    direction: Direction = Direction.DESC
    backward: bool = False
    is_after: bool = False
    is_before: bool = False

    @property
    def order(self) -> Order:
        return Order(self.field, self.direction)

    def matches(self) -> Matches:
        return Matches(CALLER, {name: _operand(name, length) for name, length in self.operands}, self.order)

    def window(self) -> Window:
        after = self.position("after") if self.is_after else None
        before = self.position("before") if self.is_before else None
        return Window(SIZE, self.backward, after, before)

    def position(self, name: str) -> Position:
        value, id = (bindparam(f"{name}_{i}", type_=column.type) for i, column in enumerate(self.order.columns))
        return value, id  # type: ignore[return-value]


def shape_of(operands: Mapping[str, Any]) -> Operands:
    return tuple((name, len(value) if isinstance(value, list) else None) for name, value in operands.items())


def parameters(**values: Any) -> dict[str, Any]:
    """Return parameters by name; each item of a list or a position has its own."""
    found = {}
    for name, value in values.items():
        if isinstance(value, list | tuple):
            found.update({f"{name}_{i}": item for i, item in enumerate(value)})
        else:
            found[name] = value
    return found


def _operand(name: str, length: int | None) -> Any:
    if length is None:
        return bindparam(name)
    return [bindparam(f"{name}_{i}", type_=Name(DescribedEnum)) for i in range(length)]


def page(dialect: Dialect, shape: Shape, place: int, columns: tuple[Any, ...]) -> CompiledStatement:
    """Compile the statement of a page: the columns of the position first, then `columns`."""
    columns = (*shape.order.columns[:place], *columns)
    query = shape.matches().page(shape.window())
    return CompiledStatement(query.with_only_columns(*columns, maintain_column_froms=True), dialect)


@lru_cache(PREPARED)
def total(dialect: Dialect, operands: Operands) -> CompiledStatement:
    return CompiledStatement(Shape(operands).matches().total(), dialect)


@lru_cache(PREPARED)
def counts(dialect: Dialect, operands: Operands) -> CompiledStatement:
    return CompiledStatement(cast(Select[Any], Shape(operands).matches().counts()), dialect)


@lru_cache(PREPARED)
def anything(dialect: Dialect, shape: Shape, inclusive: bool) -> CompiledStatement:
    """Compile the statement that checks for rows beyond the position `at`."""
    query = shape.matches().beyond(shape.position("at"), backward=shape.backward, inclusive=inclusive)
    return CompiledStatement(query, dialect)
