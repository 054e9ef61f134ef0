"""Keyset pagination: a page costs the same at any place, and rows that come or go between pages shift no other row."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import orjson
from sqlalchemy import ColumnElement, False_, case, false, literal, literal_column, true, tuple_, union_all
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import RequestError, RequestErrorCode
from app.models.columns import instant_text
from app.models.enums import DescribedEnum, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.access import visible
from app.pipelines.lists.access_paths import Matching, Searching, Walk, prefixes, search_path
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.predicates import COMPARISONS
from app.pipelines.lists.probes import Found, Probe, Prober, find_few
from app.pipelines.lists.server_probes import prober_of

MAX_PAGE = 100
DEFAULT_PAGE = 20

Position = tuple[Any, str]
"""Position in an order: the value of its column, and the id as tie-breaker."""


OrderColumn = Literal[
    "id",
    "name",
    "description",
    "status",
    "created_at",
    "updated_at",
    "created_by_email",
    "started_at",
    "finished_at",
    "duration",
]
"""Columns that pipelines are sorted by, over REST. Those of OrderField have an index, for cursors."""
INDEXED_WITH_NULLS = {"started_at", "finished_at", "duration"}
"""Columns with nulls that have an index. Neither database serves NULLS LAST by an index in both directions, so that a
page is read in two parts: rows with a value, and rows without one."""


class OrderField(DescribedEnum):
    """Sort key of pipelines. Ties are broken by `id`."""

    CREATED_AT = "created_at", "When it was created."
    UPDATED_AT = "updated_at", "When it last changed."
    NAME = "name", "Its name, in binary order of UTF-8."
    STATUS = "status", "Its status, by the alphabet."
    STARTED_AT = "started_at", "When it was started. Those that never started come last, in both directions."
    FINISHED_AT = "finished_at", "When it became terminal. Those that have not come last, in both directions."
    DURATION = "duration", "Seconds from its start to its end. Those without come last, in both directions."


class Direction(DescribedEnum):
    """Sort direction."""

    ASC = "asc", "Smallest, earliest or first in the alphabet first."
    DESC = "desc", "Largest, latest or last in the alphabet first."


@dataclass(frozen=True, slots=True)
class Order:
    """Total order of pipelines, nulls last."""

    model: ClassVar[Any] = Pipeline
    """Table of the rows; subclasses order other tables."""
    is_by_id: ClassVar[bool] = False
    """Whether the filters of this order find the rows by their ids."""
    column: OrderColumn = "created_at"
    direction: Direction = Direction.DESC

    @property
    def has_parts(self) -> bool:
        """Return whether rows with a value and rows without one are read as two parts."""
        return self.column in INDEXED_WITH_NULLS

    def sort(self, *, backward: bool = False, of_part: bool = False) -> list[ColumnElement[Any]]:
        """Return the sort keys: of all rows, or of a part of them, with or without values."""
        descending = (self.direction is Direction.DESC) is not backward
        sort = [column.desc() if descending else column.asc() for column in self.columns]
        if of_part or not self.columns[0].nullable:
            return sort  # PostgreSQL's indexes cannot serve NULLS LAST in both directions
        return [sort[0].nulls_first() if backward else sort[0].nulls_last(), sort[1]]

    def part(self, *, has_value: bool) -> ColumnElement[bool]:
        """Return the condition for rows with a value, or without one."""
        column = self.columns[0]
        found: ColumnElement[bool] = column.is_not(None) if has_value else column.is_(None)
        return found

    def beyond_in_part(
        self, position: Position, *, has_value: bool, backward: bool, inclusive: bool = False
    ) -> ColumnElement[bool]:
        """Return the condition for those rows of a part that are after a position, or before it if `backward`. Rows
        without a value come after all others."""
        value, id = position
        if has_value == (value is None):
            return true() if backward is has_value else false()
        if value is not None:
            return self.beyond(position, backward=backward, inclusive=inclusive)
        descending = (self.direction is Direction.DESC) is not backward
        compare = COMPARISONS[("lt" if descending else "gt") + ("e" if inclusive else "")]
        found: ColumnElement[bool] = compare(self.columns[1], id)
        return found

    def beyond(self, position: Position, *, backward: bool, inclusive: bool = False) -> ColumnElement[bool]:
        """Return the condition for rows after a position; before it if `backward`."""
        here = tuple_(*self.columns)
        there = tuple_(*position, types=[column.type for column in self.columns])
        if (self.direction is Direction.DESC) is not backward:
            return here <= there if inclusive else here < there
        return here >= there if inclusive else here > there

    def position(self, row: Any) -> Position:
        return getattr(row, self.column), row.id

    def cursor(self, row: Any) -> str:
        value, id = self.position(row)
        if value is None or isinstance(value, float):
            return self.cut(value, id)
        return self.cut(instant_text(value) if isinstance(value, datetime) else str(getattr(value, "name", value)), id)

    def cut(self, text: Any, id: str) -> str:
        """Encode a cursor: the value of the column, as the API shows it, and the id."""
        return base64.urlsafe_b64encode(orjson.dumps([*self._key, text, id])).decode().rstrip("=")

    def parse(self, cursor: str) -> Position:
        """Decode a cursor. Raises BAD_USER_INPUT if it is malformed or belongs to another order."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            *key, text, id = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
            if key == self._key:
                return self.at(text, id)
        except (binascii.Error, ValueError, TypeError, KeyError, OverflowError):
            raise _bad_input("The cursor is invalid. Send a cursor of this list unchanged.") from None
        raise _bad_input(f"That cursor belongs to another order than {' '.join(self._key)}.")

    def at(self, text: Any, id: Any) -> Position:
        """Return the position encoded by `cut`. Raises ValueError, TypeError or KeyError for other values."""
        return self._value(text), plain_text(id)

    def _value(self, text: Any) -> Any:
        if text is None and self.has_parts:
            return None
        if self.column == "duration":
            return finite(text)
        if self.column == "status":
            return PipelineStatus[text]
        if self.column == "name":
            return plain_text(text)
        value = datetime.fromisoformat(text)
        if instant_text(value) != text:
            raise ValueError(text)
        return value

    @property
    def columns(self) -> tuple[Any, Any]:
        return col(getattr(self.model, self.column)), col(self.model.id)

    @property
    def _key(self) -> list[str]:
        return [self.column.upper(), self.direction.name]


def finite(value: Any) -> float:
    """Return a number of a cursor. Raises ValueError for what is none."""
    if not isinstance(value, float) or not isfinite(value):
        raise ValueError(value)
    return value


def plain_text(text: Any) -> str:
    """Return a text of a cursor. Raises ValueError for what is none."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Window:
    """A page request: `size` rows between two positions, from the start of the order, or from its end if backward."""

    size: int
    backward: bool
    after: Position | None
    before: Position | None


def window(order: Order, first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """Validate the arguments of a connection. Without `first` and `last` it is the first 20 rows; the last 20 if only
    `before` is given. Raises BAD_USER_INPUT."""
    if first is not None and last is not None:
        raise _bad_input("Give `first` or `last`, not both.")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= MAX_PAGE:
            raise _bad_input(f"`{name}` takes 1 to {MAX_PAGE}, not {size}.")
    backward = last is not None or (first is None and after is None and before is not None)
    return Window(
        (last if backward else first) or DEFAULT_PAGE,
        backward,
        None if after is None else order.parse(after),
        None if before is None else order.parse(before),
    )


Edges = tuple[Position, Position]
"""Positions of the first and the last row of a page."""


def beyond(window: Window, edges: Edges | None, more: bool, *, backward: bool) -> bool | tuple[Position, bool]:
    """Return whether rows match beyond an end of a page, if known; otherwise the position to search from, and whether
    it counts itself. An empty page ends at its cursor. `edges` is None for an empty page; `more` means that one row
    more than fits was found."""
    if more and backward is window.backward:
        return True
    cursor = window.after if backward else window.before
    if cursor is None:
        return False
    return (cursor, True) if edges is None else (edges[0 if backward else 1], False)


class Filter(Protocol):
    """Filter of the rows of a table."""

    @property
    def project_ids(self) -> Iterable[str]:
        """Return the projects that the filter names."""

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return conditions, which are ANDed."""


class Matches:
    """Selects of the rows that a caller may see and a filter matches, in an order. Every value may be a parameter of a
    prepared statement. Raises FORBIDDEN for a project that the caller may not use."""

    def __init__(self, caller: Caller, filter: Filter, order: Order, few: ColumnElement[bool] | None = None) -> None:
        """Create the selects. `few` is a condition that few rows meet, which are to be read by it."""
        for project_id in filter.project_ids:
            caller.ask_for(project_id)
        self._model = order.model
        among = [] if few is None else [few]
        self._scope = [visible(caller, order.model, by_id=order.is_by_id or few is not None), *among]
        self._clauses = [*self._scope, *filter.clauses()]
        self.caller, self.filter, self.order = caller, filter, order

    def page(self, window: Window) -> SelectOfScalar[Any]:
        """Select the rows of a page, and one more to detect a next page."""
        if self.order.has_parts:
            parts = self._parts(window)
            return self._first_of_parts(parts, window.size + 1, backward=window.backward).limit(window.size + 1)
        query = select(self._model).where(*self._clauses, *self._bounds(window)).limit(window.size + 1)
        return query.order_by(*self._sort(window))

    def walk(self, window: Window, rows: int) -> SelectOfScalar[Any]:
        """Select the rows of a page that are among the first rows of the order; of its first part, if it has parts. The
        query reads only the columns of the conditions of the others."""
        bounds, table = self._bounds(window), self._model.__table__
        query: Any = select(col(self._model.id)).where(*self._clauses, *bounds).limit(window.size + 1)
        query = query.order_by(*self._sort(window))
        parts: list[Any] = list(iterate(query))
        names = {each.key for each in parts if getattr(getattr(each, "table", None), "name", "") == table.name}
        first: Any = self._first(window, bounds).with_only_columns(*(table.c[name] for name in sorted(names)))
        walked = first.limit(literal_column(str(rows))).subquery("walked")
        among = col(self._model.id).in_(ClauseAdapter(walked).traverse(query))
        return select(self._model).where(among).order_by(*self._sort(window))

    def further(self, window: Window, rows: int) -> SelectOfScalar[Any] | None:
        """Select one row after the first rows of the order, as `walk` reads them; None if the order has a second part.
        Without such a row, a walk finds all rows of a page."""
        if self.order.has_parts and len(self._parts(window)) > 1:
            return None
        first: Any = self._first(window, self._bounds(window)).with_only_columns(col(self._model.id))
        found: SelectOfScalar[Any] = first.offset(literal_column(str(rows))).limit(1)
        return found

    def _first(self, window: Window, bounds: list[ColumnElement[bool]]) -> SelectOfScalar[Any]:
        served, _ = prefixes(self.filter.conditions, self.order.column)  # type: ignore[attr-defined]
        theirs = col(self._model.organization_id) == self.caller.organization_id
        first = select(self._model).where(theirs, *(each.clause() for each in served), *bounds)
        return first.order_by(*self._sort(window))

    def _sort(self, window: Window) -> list[ColumnElement[Any]]:
        return self.order.sort(backward=window.backward, of_part=self.order.has_parts)

    def _bounds(self, window: Window) -> list[ColumnElement[bool]]:
        """Return the conditions for the rows of a window, or for those of its first part."""
        if self.order.has_parts:
            parts = [[self.order.part(has_value=has_value), *bounds] for has_value, bounds in self._parts(window)]
            return parts[0] if parts else [false()]
        return [
            self.order.beyond(position, backward=backward)
            for position, backward in ((window.after, False), (window.before, True))
            if position is not None
        ]

    def _parts(self, window: Window) -> list[tuple[bool, list[ColumnElement[bool]]]]:
        """Return the parts of a window, rows with a value and rows without one, in its direction, and their bounds."""
        order, parts = self.order, []
        for has_value in (not window.backward, window.backward):
            bounds = [
                order.beyond_in_part(position, has_value=has_value, backward=backward)
                for position, backward in ((window.after, False), (window.before, True))
                if position is not None
            ]
            if not any(isinstance(each, False_) for each in bounds):
                parts.append((has_value, bounds))
        return parts

    def keys(self, prober: Prober, most: int) -> SelectOfScalar[Any]:
        """Select the keys of at most `most` matches."""
        found = select(prober.key.label("key")).select_from(self._model).where(*self._clauses).cte("found")
        if prober.materializes:
            found = found.prefix_with("MATERIALIZED")
        query: SelectOfScalar[Any] = select(found.c.key).limit(literal_column(str(most)))
        return query

    def _first_of_parts(
        self, parts: list[tuple[bool, list[ColumnElement[bool]]]], size: Any, *, backward: bool = False
    ) -> SelectOfScalar[Any]:
        """Select the first rows of parts. The second part is read only for as many as the first one lacks: all rows of
        the part would be read if none of them matches."""
        order, id = self.order, col(self._model.id)
        found: Any = None
        for has_value, bounds in parts:
            limit = size
            if found is not None:
                count = select(func.count()).select_from(found).scalar_subquery()
                limit = case((count < size, size - count), else_=0)
            sort = order.sort(backward=backward, of_part=True)
            members = [
                select(
                    select(id)
                    .where(*self._scope, *filter.clauses(), order.part(has_value=has_value), *bounds)
                    .order_by(*sort)
                    .limit(limit)
                    .subquery()
                    .c.id
                )
                for filter in self._filters(has_value=has_value)
            ]
            before = [] if found is None else [select(found.c.id)]
            found = union_all(*before, *members).cte()
        among = false() if found is None else id.in_(select(found.c.id))
        return select(self._model).where(among).order_by(*order.sort(backward=backward))

    def _filters(self, *, has_value: bool) -> Sequence[Filter]:
        """Return filters for a part of the rows that together match what the filter does."""
        if has_value and isinstance(self.filter, PipelineFilter):
            return self.filter.by_status()
        return [self.filter]

    def rows(self, skip: int, limit: int) -> SelectOfScalar[Any]:
        """Select the rows of a page by offset."""
        if self.order.has_parts:
            first = self._first_of_parts([(True, []), (False, [])], literal(skip + limit))
            return first.offset(skip).limit(limit)
        return select(self._model).where(*self._clauses).order_by(*self.order.sort()).offset(skip).limit(limit)

    def beyond(self, position: Position, *, backward: bool, inclusive: bool) -> SelectOfScalar[str]:
        """Select one row beyond a position."""
        order = self.order
        sort = order.sort(backward=backward, of_part=True)
        if not order.has_parts:
            bound = order.beyond(position, backward=backward, inclusive=inclusive)
            return select(self._model.id).where(*self._clauses, bound).order_by(*sort).limit(1)
        parts = [
            select(self._model.id)
            .where(*self._scope, *filter.clauses(), order.part(has_value=has_value), bound)
            .order_by(*sort)
            .limit(1)
            .subquery()
            for has_value in (True, False)
            for bound in [order.beyond_in_part(position, has_value=has_value, backward=backward, inclusive=inclusive)]
            if not isinstance(bound, False_)
            for filter in self._filters(has_value=has_value)
        ]
        found: SelectOfScalar[str] = select(union_all(*(select(part.c.id) for part in parts)).subquery().c.id).limit(1)
        return found

    def total(self) -> SelectOfScalar[int]:
        """Count all matches."""
        return select(func.count()).select_from(self._model).where(*self._clauses)

    def counts(self) -> Select[PipelineStatus, int]:
        """Count matches by status. To read the statuses in their order, SQLite would take the index of statuses, and
        each row of the organization, instead of the index of several projects."""
        status: Any = func.coalesce(col(Pipeline.status), literal_column("''"))
        return select(status, func.count()).where(*self._clauses).group_by(status)


class Path(NamedTuple):
    """Selects of a page, of the rows beyond it, and of all matches."""

    page: Matches
    beyond: Matches
    all: Matches


async def find_path(
    session: AsyncSession, caller: Caller, filter: Filter, order: Order, window: Window | None = None
) -> Path:
    """Return the selects for a page of a filter, on the path that was found for it. Without a window, the first rows of
    the order are not tried."""
    plain = Matches(caller, filter, order)
    if not isinstance(filter, PipelineFilter):
        return Path(plain, plain, plain)
    searching = search_path(filter.conditions, order.column, _prober(session), has_walks=window is not None)
    return await _follow(session, plain, searching, window)


async def _follow(session: AsyncSession, plain: Matches, searching: Searching, window: Window | None = None) -> Path:
    """Take the steps of a search, and return the path that it found."""
    answer: Any = None
    try:
        while True:
            step = searching.send(answer)
            if isinstance(step, Walk):
                assert window is not None
                ids = [row.id for row in await session.exec(plain.walk(window, step.rows))]
                if len(ids) > window.size or (step.checks_end and not await _has_further(session, plain, window, step)):
                    page = Matches(plain.caller, plain.filter, plain.order, col(Pipeline.id).in_(ids))
                    return Path(page, plain, plain)
                answer = len(ids)
            else:
                answer = await _keys(session, plain, step)
    except StopIteration as done:
        return _path(plain, done.value, _prober(session))


async def _has_further(session: AsyncSession, matches: Matches, window: Window, step: Walk) -> bool:
    query = matches.further(window, step.rows)
    return query is None or (await session.exec(query)).first() is not None


async def _keys(session: AsyncSession, matches: Matches, step: Probe | Matching) -> list[Any]:
    """Return the keys of rows that a step of a search finds."""
    if isinstance(step, Matching):
        return list(await session.exec(matches.keys(_prober(session), step.most)))
    rows = await session.exec(step.query, params={"organization_id": matches.caller.organization_id, **step.parameters})
    return [row[0] for row in rows]


def _path(plain: Matches, found: Found, prober: Prober) -> Path:
    if found.numbers is None:
        wide = Matches(plain.caller, PipelineFilter(found.conditions), plain.order)
        return Path(wide, wide, plain)
    few = Matches(plain.caller, plain.filter, plain.order, prober.key.in_(found.numbers))
    return Path(few, few, few)


def _prober(session: AsyncSession) -> Prober:
    return prober_of(session.get_bind().dialect)


class Page:
    """One page of the rows that a caller may see and a filter matches."""

    def __init__(self, database: Database, caller: Caller, filter: Filter, order: Order, window: Window) -> None:
        self._database, self._window, self._more = database, window, False
        self._caller, self._filter = caller, filter
        self._path = Path(*[Matches(caller, filter, order)] * 3)
        self.order = order
        self.rows: list[Any] = []

    async def load(self) -> Page:
        """Read the rows of the page."""
        size = self._window.size
        async with self._database.read() as session:
            self._path = await find_path(session, self._caller, self._filter, self.order, self._window)
            rows = list(await session.exec(self._path.page.page(self._window)))
        self._more = len(rows) > size
        self.rows = rows[:size][::-1] if self._window.backward else rows[:size]
        return self

    async def has_next(self) -> bool:
        """Return whether a row matches after the last one."""
        return await self._any(backward=False)

    async def has_previous(self) -> bool:
        """Return whether a row matches before the first one."""
        return await self._any(backward=True)

    async def total(self) -> int:
        """Count all matches."""
        async with self._database.read() as session:
            return (await session.exec(self._path.all.total())).one()

    async def _any(self, *, backward: bool) -> bool:
        rows = self.rows
        edges = (self.order.position(rows[0]), self.order.position(rows[-1])) if rows else None
        found = beyond(self._window, edges, self._more, backward=backward)
        if isinstance(found, bool):
            return found
        position, inclusive = found
        async with self._database.read() as session:
            query = self._path.beyond.beyond(position, backward=backward, inclusive=inclusive)
            return (await session.exec(query)).first() is not None


async def any_match(database: Database, filter: Filter, row: Any) -> bool:
    """Return whether a row that was read matches a filter now."""
    query = select(col(type(row).id)).where(col(type(row).id) == row.id, *filter.clauses())
    async with database.read() as session:
        return (await session.exec(query)).first() is not None


async def counts(database: Database, caller: Caller, filter: PipelineFilter) -> dict[PipelineStatus, int]:
    """Count matches by status, zeros included."""
    async with database.read() as session:
        plain = Matches(caller, filter, Order())
        path = await _follow(session, plain, find_few(filter.conditions, plain.order.column, _prober(session)))
        return by_status(await session.exec(path.all.counts()))


def by_status(rows: Iterable[Any]) -> dict[PipelineStatus, int]:
    """Return the counts in the order of the statuses, zeros included."""
    found: dict[PipelineStatus, int] = dict(map(tuple, rows))
    return {status: found.get(status, 0) for status in PipelineStatus}


def _bad_input(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_USER_INPUT, message)
