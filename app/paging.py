"""Pages of pipelines, cut by keyset cursors: a page costs the same wherever it is, and rows that come and go
between pages move no other row."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, literal, tuple_
from sqlmodel import col, func, select

from app.callers import Caller
from app.columns import instant_text
from app.database import Database
from app.errors import RequestError, RequestErrorCode
from app.filters import PipelineFilter
from app.models import Pipeline, PipelineStatus
from app.reading import owned
from app.words import Word

MAX_PAGE = 100
DEFAULT_PAGE = 20

Position = tuple[Any, str]
"""A place in an order: the value of its column, and the id that breaks ties."""


class OrderField(Word):
    """What pipelines can be ordered by. Ties are broken by `id`."""

    CREATED_AT = "created_at", "When it was created."
    UPDATED_AT = "updated_at", "When it last changed."
    NAME = "name", "Its name, in binary order of UTF-8."
    STATUS = "status", "Its status, by the alphabet."


class Direction(Word):
    """Which end of an order comes first."""

    ASC = "asc", "Smallest, earliest or first in the alphabet first."
    DESC = "desc", "Largest, latest or last in the alphabet first."


@dataclass(frozen=True, slots=True)
class Order:
    """An order of pipelines in which no two stand at the same place."""

    field: OrderField = OrderField.CREATED_AT
    direction: Direction = Direction.DESC

    def sort(self, *, backward: bool) -> list[ColumnElement[Any]]:
        descending = (self.direction is Direction.DESC) is not backward
        return [c.desc() if descending else c.asc() for c in (self._column, col(Pipeline.id))]

    def beyond(self, position: Position, *, backward: bool, inclusive: bool = False) -> ColumnElement[bool]:
        """What comes after a position; backward, what comes before it."""
        columns = (self._column, col(Pipeline.id))
        here = tuple_(*columns)
        there = tuple_(*(literal(value, column.type) for value, column in zip(position, columns, strict=True)))
        if (self.direction is Direction.DESC) is not backward:
            return here <= there if inclusive else here < there
        return here >= there if inclusive else here > there

    def position(self, pipeline: Pipeline) -> Position:
        return getattr(pipeline, self.field.value), pipeline.id

    def cursor(self, pipeline: Pipeline) -> str:
        value, id = self.position(pipeline)
        text = instant_text(value) if isinstance(value, datetime) else getattr(value, "name", value)
        return base64.urlsafe_b64encode(orjson.dumps([*self._key, text, id])).decode().rstrip("=")

    def parse(self, cursor: str) -> Position:
        """The position of a cursor. BAD_USER_INPUT when it is broken, or was cut in another order."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            *key, text, id = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
            if key == self._key:
                return self._value(text), _plain(id)
        except (binascii.Error, ValueError, TypeError, KeyError, OverflowError):
            raise _bad_input("That cursor is broken. Send one that this list gave, unchanged.") from None
        raise _bad_input(f"That cursor belongs to another order than {' '.join(self._key)}.")

    def _value(self, text: Any) -> Any:
        if self.field is OrderField.STATUS:
            return PipelineStatus[text]
        if self.field is OrderField.NAME:
            return _plain(text)
        value = datetime.fromisoformat(text)
        if instant_text(value) != text:
            raise ValueError(text)
        return value

    @property
    def _column(self) -> Any:
        return col(getattr(Pipeline, self.field.value))

    @property
    def _key(self) -> list[str]:
        return [self.field.name, self.direction.name]


def _plain(text: Any) -> str:
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Window:
    """Which page: `size` rows between two positions, from the start of the order or, backward, from its end."""

    size: int
    backward: bool
    after: Position | None
    before: Position | None


def window(order: Order, first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """The page that the arguments of a connection ask for. BAD_USER_INPUT when they ask for none.

    Without `first` and `last`, the first 20; the last 20 when only `before` is given.
    """
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


def matching(caller: Caller, filter: PipelineFilter) -> list[ColumnElement[bool]]:
    """What the caller may see and a filter matches. RequestError with FORBIDDEN for a project that is not theirs."""
    caller.ask_for(filter.project_id)
    return [owned(caller), *filter.clauses()]


class Page:
    """One page of the pipelines that a caller may see and a filter matches."""

    def __init__(
        self, database: Database, caller: Caller, filter: PipelineFilter, order: Order, window: Window
    ) -> None:
        self._database, self._window, self._more = database, window, False
        self._matching = matching(caller, filter)
        self.order = order
        self.pipelines: list[Pipeline] = []

    async def load(self) -> Page:
        """Read the rows, and one more to see whether that is all."""
        size, backward = self._window.size, self._window.backward
        query = select(Pipeline).where(*self._matching, *self._bounds()).limit(size + 1)
        async with self._database.read() as session:
            rows = list(await session.exec(query.order_by(*self.order.sort(backward=backward))))
        self._more = len(rows) > size
        self.pipelines = rows[:size][::-1] if backward else rows[:size]
        return self

    async def has_next(self) -> bool:
        """Whether anything matches after the last row."""
        return self._more if not self._window.backward and self._more else await self._any(backward=False)

    async def has_previous(self) -> bool:
        """Whether anything matches before the first row."""
        return self._more if self._window.backward and self._more else await self._any(backward=True)

    async def total(self) -> int:
        """How many match in all."""
        async with self._database.read() as session:
            return (await session.exec(select(func.count()).select_from(Pipeline).where(*self._matching))).one()

    def _bounds(self) -> list[ColumnElement[bool]]:
        after, before = self._window.after, self._window.before
        return [
            self.order.beyond(position, backward=backward)
            for position, backward in ((after, False), (before, True))
            if position is not None
        ]

    async def _any(self, *, backward: bool) -> bool:
        """Whether anything matches beyond this page's end. Beyond an empty page's end is where its cursor stands."""
        if self.pipelines:
            edge = self.order.position(self.pipelines[0 if backward else -1])
            bound = self.order.beyond(edge, backward=backward)
        else:
            cursor = self._window.after if backward else self._window.before
            if cursor is None:
                return False
            bound = self.order.beyond(cursor, backward=backward, inclusive=True)
        async with self._database.read() as session:
            query = select(Pipeline.id).where(*self._matching, bound).limit(1)
            return (await session.exec(query)).first() is not None


async def counts(database: Database, caller: Caller, filter: PipelineFilter) -> dict[PipelineStatus, int]:
    """How many match, by status; zeros included."""
    query = select(col(Pipeline.status), func.count()).where(*matching(caller, filter))
    async with database.read() as session:
        found = dict((await session.exec(query.group_by(col(Pipeline.status)))).all())
    return {status: found.get(status, 0) for status in PipelineStatus}


def _bad_input(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_USER_INPUT, message)
