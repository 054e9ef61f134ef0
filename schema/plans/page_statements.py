"""Statements of the pages of any table, each prepared for a shape of arguments: the filters present, the order, the
direction and the bounds. Values are parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import Integer, Select, Table, bindparam, literal_column, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate

from app.database.interface import SnapshotStart, Statement, Steps
from app.models.sql import sql_of
from app.pipelines.lists.access_paths import Matching, Searching, Walk
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.pagination import Filter, Matches, Order, Position, Window
from app.pipelines.lists.predicates import Group, Predicate
from app.pipelines.lists.probes import Found, Probe
from app.pipelines.lists.row_filters import RowPredicate
from app.pipelines.lists.server_probes import prober_of
from schema.plans.statements import CALLER, CompiledStatement

PREPARED = 1024
"""Number of cached statements of each kind."""
NUMBERS = "row_numbers"
SIZE: Any = bindparam("size", type_=Integer)
ConditionShape = tuple[Any, ...]
"""Predicate with the length of its list of operands, or None, in place of the operand; operator of a group, with the
shapes of its conditions."""
ReadWalk = Callable[[Walk], Steps[tuple[list[Any], bool]]]
"""Reads a page among the first rows of its order. Returns its rows, and whether they are all."""
Bound = Literal["value", "null"] | None
"""Presence of a position, and whether its value is null."""


def bound_of(position: Position | None) -> Bound:
    return None if position is None else "null" if position[0] is None else "value"


class Shape(NamedTuple):
    """Cache key of a statement's text."""

    filter: Callable[[tuple[Any, ...]], Filter]
    """Maker of the filter of its conditions."""
    conditions: tuple[ConditionShape, ...]
    order: Order = Order()
    backward: bool = False
    after: Bound = None
    before: Bound = None
    is_few: bool = False
    """Whether the rows are read by their numbers."""
    walked: int = 0
    """Number of the first rows of the order among which the page is read; 0 for all."""

    def matches(self, dialect: Dialect) -> Matches:
        numbers = count()
        conditions = tuple(_condition(each, lambda: next(numbers)) for each in self.conditions)
        few = prober_of(dialect).key.in_(select(sql_of(dialect).ids(NUMBERS))) if self.is_few else None
        return Matches(CALLER, self.filter(conditions), self.order, few)

    def window(self) -> Window:
        after = self.position("after", self.after) if self.after else None
        before = self.position("before", self.before) if self.before else None
        return Window(SIZE, self.backward, after, before)

    def position(self, name: str, bound: Bound) -> Position:
        value, id = (bindparam(f"{name}_{i}", type_=column.type) for i, column in enumerate(self.order.columns))
        return None if bound == "null" else value, id  # type: ignore[return-value]


def shape_of(conditions: Sequence[Any]) -> tuple[ConditionShape, ...]:
    return tuple(map(_shape_of, conditions))


def _shape_of(condition: Any) -> ConditionShape:
    if isinstance(condition, Group):
        return condition.operator, tuple(map(_shape_of, condition.conditions))
    *predicate, operand = condition
    return *predicate, len(operand) if isinstance(operand, tuple) else None


def operands_of(conditions: Sequence[Any]) -> dict[str, Any]:
    """Return parameters by name: the number of their predicate."""
    leaves = (leaf for each in conditions for leaf in each.leaves())
    return {f"p{number}": leaf.operand for number, leaf in enumerate(leaves)}


class Path(NamedTuple):
    """Conditions of a page in the form that is read fast, and the keys of its rows if they are few; or its rows, if
    they were found among the first of the order."""

    conditions: tuple[Any, ...]
    numbers: Any = None
    rows: list[Any] | None = None

    @property
    def is_few(self) -> bool:
        return self.numbers is not None


def find_path(
    searching: Searching, dialect: Dialect, filter: PipelineFilter, given: dict[str, Any], walk: ReadWalk | None = None
) -> Steps[Path]:
    """Find the path of a page of pipelines with a filter, whose operands are given."""
    answer: Any = None
    try:
        while True:
            step = searching.send(answer)
            if isinstance(step, Walk):
                assert walk is not None
                rows, are_all = yield from walk(step)
                if are_all:
                    return Path(filter.conditions, rows=rows)
                answer = len(rows)
            else:
                rows = yield SnapshotStart(_search(dialect, filter, step, given))
                answer = [row[0] for row in rows]
    except StopIteration as done:
        found: Found = done.value
    numbers = None if found.numbers is None else sql_of(dialect).encode_ids(found.numbers)
    return Path(found.conditions, numbers, rows=[] if found.numbers == [] else None)


def _search(dialect: Dialect, filter: PipelineFilter, step: Probe | Matching, given: dict[str, Any]) -> Statement:
    if isinstance(step, Matching):
        return _keys(dialect, shape_of(filter.conditions), step.most)(given)
    return _probe(dialect, step.query)({"organization_id": given["organization_id"], **step.parameters})


@lru_cache(PREPARED)
def further(dialect: Dialect, shape: Shape) -> CompiledStatement | None:
    """Compile the query for a row after those of a walk, if it can have read all rows."""
    query = shape.matches(dialect).further(shape.window(), shape.walked)
    return None if query is None else CompiledStatement(query, dialect)


@lru_cache(PREPARED)
def _probe(dialect: Dialect, query: Any) -> CompiledStatement:
    return CompiledStatement(query, dialect)


@lru_cache(PREPARED)
def _keys(dialect: Dialect, conditions: tuple[ConditionShape, ...], most: int) -> CompiledStatement:
    """Compile the query for the keys of all matches."""
    return CompiledStatement(Shape(PipelineFilter, conditions).matches(dialect).keys(prober_of(dialect), most), dialect)


def parameters(**values: Any) -> dict[str, Any]:
    """Return parameters by name; each item of a list or a position has its own."""
    found = {}
    for name, value in values.items():
        if isinstance(value, list | tuple):
            found.update({f"{name}_{i}": item for i, item in enumerate(value)})
        else:
            found[name] = value
    return found


def _condition(shape: ConditionShape, number: Callable[[], int]) -> Any:
    """Return a condition whose operands are parameters."""
    if len(shape) == 2:
        operator, inner = shape
        return Group(operator, tuple([_condition(each, number) for each in inner]))
    *predicate, length = shape
    kind: Any = Predicate if len(predicate) == 2 else RowPredicate
    name, column = f"p{number()}", kind(*predicate, None).column
    operands = [bindparam(f"{name}_{i}", type_=column.type) for i in range(length or 0)]
    return kind(*predicate, bindparam(name, type_=column.type) if length is None else operands)


def page(
    dialect: Dialect, shape: Shape, place: int, columns: tuple[Any, ...], has_texts: bool = False
) -> CompiledStatement:
    """Compile the statement of a page: the columns of the position first, then `columns`. `has_texts`: some of them are
    texts that the database encodes."""
    columns = (*shape.order.columns[:place], *columns)
    matches, window = shape.matches(dialect), shape.window()
    query = matches.walk(window, shape.walked) if shape.walked else matches.page(window)
    if has_texts:
        return CompiledStatement(_around(query, shape.order.model.__table__, columns), dialect)
    return CompiledStatement(query.with_only_columns(*columns, maintain_column_froms=True), dialect)


def _around(query: Select[Any], table: Table, columns: Sequence[Any]) -> Select[Any]:
    """Return a query for expressions of the rows of a page. They are computed outside of the query for the page: within
    it they would be computed for all rows that are sorted."""
    expressions = [getattr(column, "expression", column) for column in columns]
    parts: list[Any] = [part for expression in expressions for part in iterate(expression)]
    names = dict.fromkeys(part.key for part in parts if getattr(part, "table", None) is table)
    selected = [table.c[name] for name in names or ["id"]]  # `__typename` reads no column
    rows = query.with_only_columns(*selected, maintain_column_froms=True).subquery("page")
    adapted: list[Any] = list(map(ClauseAdapter(rows).traverse, expressions))
    # With a limit of its own, SQLite does not merge the two queries.
    found: Select[Any] = select(*adapted).select_from(rows).limit(literal_column("-1"))
    return found


@lru_cache(PREPARED)
def total(dialect: Dialect, shape: Shape) -> CompiledStatement:
    """Compile the count of all matches, of a shape without bounds."""
    return CompiledStatement(shape.matches(dialect).total(), dialect)


@lru_cache(PREPARED)
def counts(dialect: Dialect, conditions: tuple[ConditionShape, ...], is_few: bool) -> CompiledStatement:
    """Compile the counts of pipelines by status."""
    matches = Shape(PipelineFilter, conditions, is_few=is_few).matches(dialect)
    return CompiledStatement(cast(Select[Any], matches.counts()), dialect)


@lru_cache(PREPARED)
def anything(dialect: Dialect, shape: Shape, at: Bound, inclusive: bool) -> CompiledStatement:
    """Compile the statement that checks for rows beyond the position `at`."""
    query = shape.matches(dialect).beyond(shape.position("at", at), backward=shape.backward, inclusive=inclusive)
    return CompiledStatement(query, dialect)
