"""Plans of connections: the page and the further statements of its selection."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from app.database.interface import Steps, measured
from app.pipelines.budget import ROW
from app.pipelines.lists import pagination
from app.pipelines.lists.access_paths import Walk, search_path
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.pagination import Order, Position, Window
from app.pipelines.lists.server_probes import prober_of
from schema.plans import page_statements
from schema.plans.child_rows import read_children
from schema.plans.encoding.codecs import converter
from schema.plans.encoding.json_sql import TextMeasure, whole
from schema.plans.page_statements import Path, Shape
from schema.plans.row_builder import CompileContext, Row, RowBuilder, dictionary, work_of
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import Run
from schema.types.keys.audit import audit_page
from schema.types.lists.pages import Asked
from schema.types.measurements.query import instances_page, measurements_page, specifications_page
from schema.types.measurements.types import users_page
from schema.types.query import pipelines_page

PLACE = 2
"""Number of leading columns that hold a row's position, if selected."""
SHAPES = 16
"""Number of cached statements of one plan, by the shape of the arguments."""
PLACED = {"edges", "pageInfo"}
"""Fields that need positions."""


class Listing(NamedTuple):
    """Description of a connection: the type of its nodes, and the function that validates its arguments."""

    node: str
    page: Callable[..., Asked]
    """Takes the caller, or the id of the parent, and the arguments of the field."""
    parent: str = "Query"
    """Type that has the field."""

    @property
    def connection(self) -> str:
        return f"{self.node}Connection"

    @property
    def edge(self) -> str:
        return f"{self.node}Edge"


PIPELINES = Listing("Pipeline", pipelines_page)
MEASUREMENTS = Listing("Measurement", measurements_page)
CELL_SPECIFICATIONS = Listing("CellSpecification", specifications_page)
CELL_INSTANCES = Listing("CellInstance", instances_page)
AUDIT_LOG = Listing("AuditEntry", audit_page)
USERS = Listing("Pipeline", users_page, "Measurement")


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
    """Reader of pages, one at a time."""

    def __init__(self, listing: Listing, compiling: CompileContext, details: FieldDetailsList) -> None:
        self.listing = listing
        self.rows = RowBuilder(compiling)
        self._is_encoded = compiling.sql.has_encoded_pages and listing.parent == "Query"  # others count their values
        asked = compiling.selections.fields(listing.connection, details).values()
        place = 0 if PLACED.isdisjoint(map(name_of, asked)) else PLACE
        self.rows.columns += [None] * place
        self._has_positions = place > 0
        self.is_counted = False
        self.ends: set[bool] = set()
        """Ends beyond which rows must be searched."""
        self._dialect = compiling.dialect
        self.arguments = compiling.selections.converted_arguments(listing.parent, details)
        self._lists: list[ast.expr] = []
        self._texts: list[int] = []
        """Places of the nodes that the database encodes."""
        self._part = self.object(listing.connection, details)
        self.rows.select_something()
        columns = tuple(self.rows.columns[place:])
        statement = partial(
            page_statements.page, self._dialect, place=place, columns=columns, has_texts=bool(self._texts)
        )
        self._statement = lru_cache(SHAPES)(statement)
        compiling.statements += 1 + self.is_counted + len(self.ends)
        self._builders = [self.rows.builder(made) for made in self._lists]
        self.work = sum(map(work_of, self._lists))
        """Work of each row."""

    def object(self, type_name: str, details: FieldDetailsList) -> ConnectionPart:
        """Plan an object that exists once per page."""
        fields = self.rows.compiling.selections.fields(type_name, details)
        parts = [(key, PARTS[type_name][name_of(each)](self, each)) for key, each in fields.items()]
        return lambda found: {key: part(found) for key, part in parts}

    def node(self, details: FieldDetailsList) -> ast.expr:
        """Return the code for the node of each row, which the database encodes if it can."""
        compiling, node = self.rows.compiling, self.listing.node
        text = whole(compiling, node, details) if self._is_encoded else None
        if text is None:
            return self.rows.object(node, details)
        compiling.limit_texts()
        self._texts.append(self.rows.place(text))
        return self.rows.json(text)

    def each(self, made: ast.expr) -> ConnectionPart:
        """Plan a list with one item per row."""
        self._lists.append(made)
        index = len(self._lists) - 1
        return lambda found: found.lists[index]

    def __call__(self, run: Run) -> Steps[Any]:
        return self.page(run, self.listing.page(run.caller, **self.arguments(run.values)))

    def page(self, run: Run, asked: Asked) -> Steps[Any]:
        """Read a page."""
        filter, order, window = asked
        shape = Shape(
            type(filter),
            page_statements.shape_of(filter.conditions),
            order,
            window.backward,
            page_statements.bound_of(window.after),
            page_statements.bound_of(window.before),
        )
        given = page_statements.parameters(
            organization_id=run.caller.organization_id,
            size=window.size if self.ends else window.size - 1,  # one more tells what is beyond an end
            **page_statements.operands_of(filter.conditions),
            after=window.after,
            before=window.before,
        )
        path = yield from self._find_path(filter, shape, given)
        if path.is_few or path.conditions != filter.conditions:
            shape = shape._replace(conditions=page_statements.shape_of(path.conditions), is_few=path.is_few)
        given[page_statements.NUMBERS] = path.numbers
        rows = (yield from self._read(shape, given)) if path.rows is None else path.rows
        self.rows.check(rows, run)
        more, rows = len(rows) > window.size, rows[: window.size]
        found = self._found(run, rows[::-1] if window.backward else rows, order)
        yield from read_children(self.rows, found.rows, run)
        found.lists = [build(run)(found.rows) for build in self._builders]
        if self.is_counted:
            all = Shape(type(filter), page_statements.shape_of(filter.conditions), order, is_few=path.is_few)
            [[found.total]] = yield page_statements.total(self._dialect, all)(given)
        for backward in self.ends:
            found.beyond[backward] = yield from self._beyond(
                found, window, more, shape._replace(backward=backward), given
            )
        return self._part(found)

    def _find_path(self, filter: Any, shape: Shape, given: dict[str, Any]) -> Steps[Path]:
        if not isinstance(filter, PipelineFilter) or not filter.conditions:
            return Path(filter.conditions)
        searching = search_path(filter.conditions, shape.order.column, prober_of(self._dialect))
        walk = partial(self._walk, shape, given)
        return (yield from page_statements.find_path(searching, self._dialect, filter, given, walk))

    def _walk(self, shape: Shape, given: dict[str, Any], step: Walk) -> Steps[tuple[list[Any], bool]]:
        shape = shape._replace(walked=step.rows)
        rows = yield from self._read(shape, given)
        if len(rows) > given["size"] or not step.checks_end:
            return rows, len(rows) > given["size"]
        further = page_statements.further(self._dialect, shape)
        return rows, further is not None and not (yield further(given))

    def _read(self, shape: Shape, given: dict[str, Any]) -> Steps[list[Any]]:
        """Read the rows of a page."""
        statement = self._statement(shape)(given)
        return (yield measured(statement, TextMeasure(*self._texts) if self._texts else None))

    def _found(self, run: Run, rows: list[Row], order: Order) -> ReadPage:
        convert = converter(order.columns[0].type, self._dialect) if self._has_positions else None
        found = ReadPage(rows, order, convert or str)
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
    return page.each(page.node(details))


def edges(page: ConnectionPlan, details: FieldDetailsList) -> ConnectionPart:
    fields = page.rows.compiling.selections.fields(page.listing.edge, details)
    return page.each(dictionary({key: EDGE[name_of(each)](page, each) for key, each in fields.items()}))


def cursor(page: ConnectionPlan, details: FieldDetailsList) -> ast.expr:
    cut = page.rows.value(lambda run: run.found[page].cursor)
    return ast.Call(cut, [page.rows.at(0), page.rows.at(1)], [])


EDGE: dict[str, Callable[[ConnectionPlan, FieldDetailsList], ast.expr]] = {
    "node": ConnectionPlan.node,
    "cursor": cursor,
    "__typename": lambda page, details: ast.Constant(page.listing.edge),
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


CONNECTION: dict[str, Callable[[ConnectionPlan, FieldDetailsList], ConnectionPart]] = {
    "nodes": nodes,
    "edges": edges,
    "pageInfo": page_info,
    "totalCount": total_count,
    "__typename": lambda page, details: lambda found: page.listing.connection,
}
PARTS: dict[str, dict[str, Callable[[ConnectionPlan, FieldDetailsList], ConnectionPart]]] = {
    **{
        each.connection: CONNECTION
        for each in (PIPELINES, MEASUREMENTS, CELL_SPECIFICATIONS, CELL_INSTANCES, AUDIT_LOG)
    },
    "PageInfo": {
        "hasNextPage": has_more(backward=False),
        "hasPreviousPage": has_more(backward=True),
        "startCursor": lambda page, details: lambda found: found.end_cursor(0),
        "endCursor": lambda page, details: lambda found: found.end_cursor(-1),
        "__typename": lambda page, details: lambda found: "PageInfo",
    },
}


class ConnectionRows:
    """Pages about each of several parents: one statement for each of them."""

    def __init__(self, listing: Listing, parents: RowBuilder, parent_id: Any, details: FieldDetailsList) -> None:
        self._parent_id, self._parent = parent_id, parents.place(parent_id)
        self._pages = ConnectionPlan(listing, parents.compiling, details)
        parents.compiling.statements += 1  # the parents are many, and so are the statements
        parents.children.append(self)

    def one(self, parents: RowBuilder) -> ast.expr:
        """Return the code for the page of a parent."""
        found = parents.value(lambda run: run.found[self].get)
        return ast.Call(found, [parents.stored(self._parent_id)], [])

    def read(self, parents: Sequence[Row], run: Run) -> Steps[None]:
        made = {}
        for row in parents:
            id = row[self._parent]
            asked = self._pages.listing.page(id, **self._pages.arguments(run.values))
            run.budget.take_work(ROW + self._pages.work * asked[2].size)
            made[id] = yield from self._pages.page(run, asked)
        run.found[self] = made
