"""Plans for pages of pipelines. Which statements a page takes depends on its arguments, so these are prepared for each
shape of arguments: which filters there are, the order, the direction, and where the page is bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam
from sqlalchemy.engine import Dialect

from app import paging
from app.columns import Name
from app.paging import Direction, Matches, Order, OrderField, Position, Window
from app.readers import Steps
from app.words import Word
from schema.plans.rows import Compiling, Of, Row, Rows, Run
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import CALLER, Statement
from schema.plans.wire import converter
from schema.query import page_asked

PREPARED = 1024
"""Statements that are kept, over all shapes."""
SIZE: Any = bindparam("size", type_=Integer)
Operands = tuple[tuple[str, int | None], ...]
"""The filters that are given, and of those that are lists their lengths."""


class Shape(NamedTuple):
    """What the statements of a page depend on."""

    operands: Operands
    field: OrderField = OrderField.CREATED_AT
    direction: Direction = Direction.DESC
    backward: bool = False
    is_after: bool = False
    is_before: bool = False

    def matches(self) -> Matches:
        return Matches(CALLER, {name: _parameter(name, length) for name, length in self.operands}, self.order)

    @property
    def order(self) -> Order:
        return Order(self.field, self.direction)

    def window(self) -> Window:
        after, before = self.place("after"), self.place("before")
        return Window(SIZE, self.backward, after if self.is_after else None, before if self.is_before else None)

    def place(self, name: str) -> Position:
        """Parameters for a place in this order."""
        value, id = (bindparam(f"{name}_{i}", type_=each.type) for i, each in enumerate(self.order.columns))
        return value, id  # type: ignore[return-value]


def _parameter(name: str, length: int | None) -> Any:
    if length is None:
        return bindparam(name)
    return [bindparam(f"{name}_{i}", type_=Name(Word)) for i in range(length)]


def shape_of(operands: dict[str, Any]) -> Operands:
    return tuple((name, len(value) if isinstance(value, list) else None) for name, value in operands.items())


def values_of(operands: dict[str, Any]) -> dict[str, Any]:
    """The values of the parameters that stand for operands, or for a place."""
    found = {}
    for name, value in operands.items():
        if isinstance(value, list | tuple):
            found |= {f"{name}_{i}": item for i, item in enumerate(value)}
        else:
            found[name] = value
    return found


class Found:
    """A page that was read."""

    def __init__(self, page: Page, order: Order, rows: list[Row]) -> None:
        self.rows, self.total, self.beyond = rows, 0, {True: False, False: False}
        self._place, self._order = page.place, order
        self._convert = converter(order.columns[0].type, page.dialect) or (lambda value: value)

    def cursor(self, row: Row) -> str:
        return self._order.cut(*self._stands(row))

    def position(self, row: Row) -> Position:
        return self._order.at(*self._stands(row))

    def _stands(self, row: Row) -> tuple[str, str]:
        return self._convert(row[self._place]), row[self._place + 1]


Part = Callable[[Run, Found], Any]
"""A field of a page."""


class Page:
    """What `pipelines` reads: rows, and as many statements more as what is selected asks for."""

    def __init__(self, compiling: Compiling, details: FieldDetailsList) -> None:
        self.dialect = compiling.dialect
        self.rows = Rows(compiling)
        self.is_counted = False
        self.ends: set[bool] = set()
        """The ends beyond which it must be looked: True for the start of the list."""
        self._arguments = compiling.selections.converted_arguments("Query", details)
        self._parts = parts(self, "PipelineConnection", details)
        self.place = len(self.rows.columns)
        """Where in a row its place in the order stands."""

    def __call__(self, run: Run) -> Steps[dict[str, Any]]:
        filter, order, window = page_asked(**self._arguments(run.values))
        operands = filter.operands()
        bounds = {"after": window.after, "before": window.before}
        shape = Shape(shape_of(operands), order.field, order.direction, window.backward, *map(bool, bounds.values()))
        given = values_of({"organization_id": run.caller.organization_id, "size": window.size, **operands, **bounds})
        rows = yield _page(self, shape)(given)
        more = len(rows) > window.size
        rows = list(rows[: window.size])
        found = Found(self, order, rows[::-1] if window.backward else rows)
        yield from self.rows.read_children(rows, run)
        if self.is_counted:
            [[found.total]] = yield _total(self.dialect, shape.operands)(given)
        for backward in self.ends:
            found.beyond[backward] = yield from self._beyond(found, window, shape, given, more, backward)
        return {key: part(run, found) for key, part in self._parts.items()}

    def _beyond(
        self, found: Found, window: Window, shape: Shape, given: dict[str, Any], more: bool, backward: bool
    ) -> Steps[bool]:
        edges = (found.position(found.rows[0]), found.position(found.rows[-1])) if found.rows else None
        known = paging.beyond(window, edges, more, backward=backward)
        if isinstance(known, bool):
            return known
        position, inclusive = known
        statement = _anything(
            self.dialect, shape._replace(backward=backward, is_after=False, is_before=False), inclusive
        )
        return bool((yield statement({**given, **values_of({"from": position})})))


@lru_cache(PREPARED)
def _page(page: Page, shape: Shape) -> Statement:
    return page.rows.select(shape.matches().page(shape.window()), *shape.order.columns)


@lru_cache(PREPARED)
def _total(dialect: Dialect, operands: Operands) -> Statement:
    return Statement(Shape(operands).matches().total(), dialect)


@lru_cache(PREPARED)
def _anything(dialect: Dialect, shape: Shape, inclusive: bool) -> Statement:
    query = shape.matches().beyond(shape.place("from"), backward=shape.backward, inclusive=inclusive)
    return Statement(query, dialect)


@lru_cache(PREPARED)
def counts(dialect: Dialect, operands: Operands) -> Statement:
    return Statement(Shape(operands).matches().counts(), dialect)


def parts(page: Page, type_name: str, details: FieldDetailsList) -> dict[str, Part]:
    """What each of the selected fields of a part of a page is, by response key."""
    fields = page.rows.compiling.selections.fields(type_name, details)
    return {key: PARTS[type_name][name_of(each)](page, each) for key, each in fields.items()}


def _nodes(page: Page, details: FieldDetailsList) -> Part:
    node = page.rows.object("Pipeline", details)
    return lambda run, found: list(map(node.bind(run), found.rows))


def _edges(page: Page, details: FieldDetailsList) -> Part:
    fields = page.rows.compiling.selections.fields("PipelineEdge", details)
    makers = {key: EDGE[name_of(each)](page, each) for key, each in fields.items()}

    def part(run: Run, found: Found) -> list[dict[str, Any]]:
        made = [(key, maker(run, found)) for key, maker in makers.items()]
        return [{key: make(row) for key, make in made} for row in found.rows]

    return part


def _edge_node(page: Page, details: FieldDetailsList) -> Callable[[Run, Found], Of]:
    node = page.rows.object("Pipeline", details)
    return lambda run, found: node.bind(run)


EDGE: dict[str, Callable[[Page, FieldDetailsList], Callable[[Run, Found], Of]]] = {
    "node": _edge_node,
    "cursor": lambda page, details: lambda run, found: found.cursor,
    "__typename": lambda page, details: lambda run, found: lambda row: "PipelineEdge",
}


def _total_count(page: Page, details: FieldDetailsList) -> Part:
    page.is_counted = True
    return lambda run, found: found.total


def _page_info(page: Page, details: FieldDetailsList) -> Part:
    made = parts(page, "PageInfo", details)
    return lambda run, found: {key: part(run, found) for key, part in made.items()}


def _is_more(*, backward: bool) -> Callable[[Page, FieldDetailsList], Part]:
    def made(page: Page, details: FieldDetailsList) -> Part:
        page.ends.add(backward)
        return lambda run, found: found.beyond[backward]

    return made


def _end_cursor(index: int) -> Callable[[Page, FieldDetailsList], Part]:
    return lambda page, details: lambda run, found: found.cursor(found.rows[index]) if found.rows else None


def _constant(value: str) -> Callable[[Page, FieldDetailsList], Part]:
    return lambda page, details: lambda run, found: value


PARTS: dict[str, dict[str, Callable[[Page, FieldDetailsList], Part]]] = {
    "PipelineConnection": {
        "nodes": _nodes,
        "edges": _edges,
        "pageInfo": _page_info,
        "totalCount": _total_count,
        "__typename": _constant("PipelineConnection"),
    },
    "PageInfo": {
        "hasNextPage": _is_more(backward=False),
        "hasPreviousPage": _is_more(backward=True),
        "startCursor": _end_cursor(0),
        "endCursor": _end_cursor(-1),
        "__typename": _constant("PageInfo"),
    },
}
