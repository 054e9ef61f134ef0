"""Plan of the connection `pipelines`: the page and the further statements of its selection."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from app.database.interface import Steps
from app.pipelines.lists import pagination
from app.pipelines.lists.pagination import Order, Position, Window
from schema.plans import page_statements
from schema.plans.child_rows import read_children
from schema.plans.encoding.codecs import converter
from schema.plans.page_statements import Shape
from schema.plans.row_builder import CompileContext, Row, RowBuilder, Run, dictionary
from schema.plans.selections import FieldDetailsList, name_of
from schema.types.query import page_asked

PLACE = 2
"""Number of leading columns that hold a row's position, if selected."""
SHAPES = 16
"""Number of cached statements of one plan, by the shape of the arguments."""
PLACED = {"edges", "pageInfo"}
"""Fields that need positions."""


class ReadPage:
    """Rows of a page."""

    def __init__(self, rows: list[Row], order: Order, convert: Callable[[Any], str]) -> None:
        self.rows, self._order, self._convert = rows, order, convert
        self.lists: list[list[Any]] = []
        self.total = 0
        self.beyond = {True: False, False: False}
        """Whether rows exist beyond each end; True is the start of the list."""

    def cursor(self, value: Any, id: str) -> str:
        return self._order.cut(None if value is None else self._convert(value), id)

    def end_cursor(self, index: int) -> str | None:
        return self.cursor(*self.rows[index][:PLACE]) if self.rows else None

    def position(self, index: int) -> Position:
        value, id = self.rows[index][:PLACE]
        return self._order.at(None if value is None else self._convert(value), id)


ConnectionPart = Callable[[ReadPage], Any]
"""Builder of a field of a page."""


class ConnectionPlan:
    """Reader of one page per run."""

    def __init__(self, compiling: CompileContext, details: FieldDetailsList) -> None:
        self.rows = RowBuilder(compiling)
        asked = compiling.selections.fields("PipelineConnection", details).values()
        place = 0 if PLACED.isdisjoint(map(name_of, asked)) else PLACE
        self.rows.columns += [None] * place
        self.is_counted = False
        self.ends: set[bool] = set()
        """Ends beyond which rows must be searched."""
        self._dialect = compiling.dialect
        self._arguments = compiling.selections.converted_arguments("Query", details)
        self._lists: list[ast.expr] = []
        self._part = self.object("PipelineConnection", details)
        self.rows.select_something()
        statement = partial(page_statements.page, self._dialect, place=place, columns=tuple(self.rows.columns[place:]))
        self._statement = lru_cache(SHAPES)(statement)
        compiling.statements += 1 + self.is_counted + len(self.ends)
        self._builders = [self.rows.builder(made) for made in self._lists]

    def object(self, type_name: str, details: FieldDetailsList) -> ConnectionPart:
        """Plan an object that exists once per page."""
        fields = self.rows.compiling.selections.fields(type_name, details)
        parts = [(key, PARTS[type_name][name_of(each)](self, each)) for key, each in fields.items()]
        return lambda found: {key: part(found) for key, part in parts}

    def each(self, made: ast.expr) -> ConnectionPart:
        """Plan a list with one item per row."""
        self._lists.append(made)
        index = len(self._lists) - 1
        return lambda found: found.lists[index]

    def __call__(self, run: Run) -> Steps[Any]:
        filter, order, window = page_asked(run.caller, **self._arguments(run.values))
        organization_id = run.caller.organization_id
        probed = yield from page_statements.probed(self._dialect, filter.conditions, order.column, organization_id)
        bounds = {"after": window.after, "before": window.before}
        shape = Shape(
            page_statements.shape_of(probed.conditions),
            order.column,
            order.direction,
            window.backward,
            page_statements.bound_of(window.after),
            page_statements.bound_of(window.before),
            probed.is_few,
        )
        given = page_statements.parameters(
            organization_id=organization_id,
            size=window.size,
            **page_statements.operands_of(filter.conditions),
            **bounds,
        )
        given[page_statements.NUMBERS] = probed.numbers
        rows = yield self._statement(shape)(given)
        self.rows.check(rows, run)
        more, rows = len(rows) > window.size, rows[: window.size]
        found = self._found(run, rows[::-1] if window.backward else rows, order)
        yield from read_children(self.rows, found.rows, run)
        found.lists = [build(run)(found.rows) for build in self._builders]
        if self.is_counted:
            [[found.total]] = yield page_statements.total(
                self._dialect, page_statements.shape_of(filter.conditions), probed.is_few
            )(given)
        for backward in self.ends:
            found.beyond[backward] = yield from self._beyond(
                found, window, more, shape._replace(backward=backward), given
            )
        return self._part(found)

    def _found(self, run: Run, rows: list[Row], order: Order) -> ReadPage:
        convert = converter(order.columns[0].type, self._dialect) or str
        found = ReadPage(rows, order, convert)
        run.found[self] = found
        return found

    def _beyond(self, found: ReadPage, window: Window, more: bool, shape: Shape, given: dict[str, Any]) -> Steps[bool]:
        edges = (found.position(0), found.position(-1)) if found.rows else None
        known = pagination.beyond(window, edges, more, backward=shape.backward)
        if isinstance(known, bool):
            return known
        position, inclusive = known
        statement = page_statements.anything(self._dialect, shape, page_statements.bound_of(position), inclusive)
        rows = yield statement({**given, **page_statements.parameters(at=position)})
        return bool(rows)


def nodes(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
    return page.each(page.rows.object("Pipeline", details))


def edges(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
    fields = page.rows.compiling.selections.fields("PipelineEdge", details)
    return page.each(dictionary({key: EDGE[name_of(each)](page, each) for key, each in fields.items()}))


def cursor(page: ConnectionPlan, details: FieldDetailsList) -> ast.expr:
    cut = page.rows.value(lambda run: run.found[page].cursor)
    return ast.Call(cut, [page.rows.at(0), page.rows.at(1)], [])


EDGE: dict[str, Callable[[ConnectionPlan, FieldDetailsList], ast.expr]] = {
    "node": lambda page, details: page.rows.object("Pipeline", details),
    "cursor": cursor,
    "__typename": lambda page, details: ast.Constant("PipelineEdge"),
}


def page_info(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
    return page.object("PageInfo", details)


def total_count(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
    page.is_counted = True
    return lambda found: found.total


def has_more(*, backward: bool) -> Callable[[ConnectionPlan, FieldDetailsList], ConnectionPart]:
    def part(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
        page.ends.add(backward)
        return lambda found: found.beyond[backward]

    return part


PARTS: dict[str, dict[str, Callable[[ConnectionPlan, FieldDetailsList], ConnectionPart]]] = {
    "PipelineConnection": {
        "nodes": nodes,
        "edges": edges,
        "pageInfo": page_info,
        "totalCount": total_count,
        "__typename": lambda page, details: lambda found: "PipelineConnection",
    },
    "PageInfo": {
        "hasNextPage": has_more(backward=False),
        "hasPreviousPage": has_more(backward=True),
        "startCursor": lambda page, details: lambda found: found.end_cursor(0),
        "endCursor": lambda page, details: lambda found: found.end_cursor(-1),
        "__typename": lambda page, details: lambda found: "PageInfo",
    },
}
