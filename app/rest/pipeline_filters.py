"""Filters of GET /pipelines: a plain value or an operator, such as `eq.x`, `ilike.%x%`, `in.(a,b)`, `gte.t`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.enums import JobErrorCode, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.lists.filters import PipelineFilter
from app.pipelines.lists.labels import fold
from app.pipelines.lists.pagination import Direction, Matches, Order, OrderColumn, find_path
from app.pipelines.lists.predicates import COMPARISONS, Predicate, predicate

Text = Field(None, max_length=1000)
Bound = Field(None, max_length=1000, description="Inclusive.", json_schema_extra={"format": "date-time"})


class ListQuery(BaseModel):
    """Query of GET /pipelines: filters, order and page."""

    project_id: str | None = Text
    limit: int = Field(10, ge=1, le=100)
    skip: int = Field(0, ge=0, le=2**31 - 1)
    id: str | None = Text
    name: str | None = Text
    description: str | None = Text
    status: str | None = Text
    created_by_email: str | None = Text
    error_code: str | None = Text
    created_at: str | None = Text
    updated_at: str | None = Text
    started_at: str | None = Text
    finished_at: str | None = Text
    duration: str | None = Field(None, max_length=1000, description="Seconds from the start to the end.")
    labels_all: list[str] | None = Field(None, max_length=50)
    labels_any: list[str] | None = Field(None, max_length=50)
    created_at_gt: str | None = Bound
    created_at_lt: str | None = Bound
    updated_at_gt: str | None = Bound
    updated_at_lt: str | None = Bound
    order_by: OrderColumn = "created_at"
    order: Literal["asc", "desc"] = "desc"


ITEM = re.compile(r'\s*"([^"]*)"\s*(?:,|$)|([^,]+)')


async def listing(database: Database, caller: Caller, query: ListQuery) -> tuple[list[Pipeline], int]:
    """List pipelines and count all matches. Raises FORBIDDEN, and RequestValidationError with every wrong filter."""
    filter, faults = _filter(query)
    order = Order(query.order_by, Direction[query.order.upper()])
    Matches(caller, filter, order)  # FORBIDDEN comes before the faults
    if faults:
        raise RequestValidationError(faults)
    async with database.read() as session:
        path = await find_path(session, caller, filter, order)
        found = list(await session.exec(path.page.rows(query.skip, query.limit)))
        total = (await session.exec(path.all.total())).one()
    return found, total


def _filter(query: ListQuery) -> tuple[PipelineFilter, list[dict[str, Any]]]:
    """Return the filter of the right values, and the faults of the wrong ones."""
    predicates: list[Predicate] = []
    faults: list[dict[str, Any]] = []
    for name in (*FIELDS, *BOUNDS):
        value = getattr(query, name)
        try:
            if value is not None:
                predicates.append(predicate(*BOUNDS[name], _time(value)) if name in BOUNDS else _predicate(name, value))
        except ValueError as error:
            faults.append({"type": "invalid", "loc": ("query", name), "msg": str(error), "input": value})
    if query.labels_all:
        predicates += [predicate("labels", "has_label", [fold(each)]) for each in query.labels_all]
    if query.labels_any:
        predicates.append(predicate("labels", "has_label", list(map(fold, query.labels_any))))
    return PipelineFilter(tuple(predicates)), faults


def _predicate(name: str, value: str) -> Predicate:
    """Parse a filter: `OPERATOR.value`, or a plain value for equality. Raises ValueError if the value does not fit the
    field."""
    parse, operators = FIELDS[name]
    operator, dot, operand = value.partition(".")
    if not dot or operator not in operators:
        operator, operand = "eq", value
    return predicate(name, operator, [parse(each) for each in _items(operand)] if operator == "in" else parse(operand))


def _items(operand: str) -> list[str]:
    if not (operand.startswith("(") and operand.endswith(")")):
        raise ValueError("Write a list as in.(a,b).")
    items = ((quoted, plain.strip()) for quoted, plain in ITEM.findall(operand[1:-1]))
    return [quoted or plain for quoted, plain in items if quoted or plain]


def _status(word: str) -> PipelineStatus:
    try:
        return next(status for status in PipelineStatus if status.value == word)
    except StopIteration:
        words = ", ".join(status.value for status in PipelineStatus)
        raise ValueError(f"{word!r:.80} is no status. Use one of {words}.") from None


def _time(text: str) -> datetime:
    """Parse a time in ISO 8601; UTC without an offset."""
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r:.80} is no time. Write it as 2026-11-23T10:00:00Z.") from None


def _error_code(word: str) -> JobErrorCode:
    try:
        return next(code for code in JobErrorCode if code.value == word)
    except StopIteration:
        words = ", ".join(code.value for code in JobErrorCode)
        raise ValueError(f"{word!r:.80} is no error code. Use one of {words}.") from None


def _seconds(text: str) -> float:
    """Parse a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = inf
    if not isfinite(value):
        raise ValueError(f"{text!r:.80} is no number of seconds. Write it as 12.5.")
    return value


OPERATORS = {*COMPARISONS, "neq", "in"}
TEXT = str, {*OPERATORS, "ilike"}
TIME = _time, OPERATORS
FIELDS: dict[str, tuple[Callable[[str], Any], set[str]]] = {
    "id": TEXT,
    "project_id": TEXT,
    "name": TEXT,
    "description": TEXT,
    "created_by_email": TEXT,
    "created_at": TIME,
    "updated_at": TIME,
    "started_at": TIME,
    "finished_at": TIME,
    "duration": (_seconds, OPERATORS),
    "status": (_status, {"eq", "neq", "in"}),
    "error_code": (_error_code, {"eq", "neq", "in"}),
}
"""Parser and operators of each field."""
BOUNDS = {
    "created_at_gt": ("created_at", "gte"),
    "created_at_lt": ("created_at", "lte"),
    "updated_at_gt": ("updated_at", "gte"),
    "updated_at_lt": ("updated_at", "lte"),
}
