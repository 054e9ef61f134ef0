"""Filters of GET /pipelines: a plain value or an operator, such as `eq.x`, `ilike.%x%`, `in.(a,b)`, `gte.t`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.enums import PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.access import visible_pipelines

Clause = ColumnElement[bool]
Text = Field(None, max_length=1000)


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
    created_at: str | None = Text
    updated_at: str | None = Text
    created_at_gt: str | None = Field(None, max_length=1000, description="Inclusive.")
    created_at_lt: str | None = Field(None, max_length=1000, description="Inclusive.")
    updated_at_gt: str | None = Field(None, max_length=1000, description="Inclusive.")
    updated_at_lt: str | None = Field(None, max_length=1000, description="Inclusive.")
    order_by: Literal["id", "name", "description", "status", "created_at", "updated_at", "created_by_email"] = (
        "created_at"
    )
    order: Literal["asc", "desc"] = "desc"


COMPARISONS: dict[str, Callable[[Any, Any], Clause]] = {
    "eq": lambda column, value: column == value,
    "neq": lambda column, value: column != value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}
TEXTS = ("id", "project_id", "name", "description", "created_by_email")
TIMES = ("created_at", "updated_at")
ITEM = re.compile(r'\s*"([^"]*)"\s*(?:,|$)|([^,]+)')
BOUNDS = {"created_at_gt": "gte", "created_at_lt": "lte", "updated_at_gt": "gte", "updated_at_lt": "lte"}


async def listing(database: Database, caller: Caller, query: ListQuery) -> tuple[list[Pipeline], int]:
    """List pipelines and count all matches. Raises RequestValidationError with every wrong filter."""
    caller.ask_for(_project(query))
    clauses = [visible_pipelines(caller), *_clauses(query)]
    column = _column(query.order_by)
    descending = query.order == "desc"
    order = [each.desc() if descending else each.asc() for each in (column, col(Pipeline.id))]
    rows = select(Pipeline).where(*clauses).order_by(order[0].nulls_last(), order[1])
    async with database.read() as session:
        found = list(await session.exec(rows.offset(query.skip).limit(query.limit)))
        total = (await session.exec(select(func.count()).select_from(Pipeline).where(*clauses))).one()
    return found, total


def _project(query: ListQuery) -> str | None:
    """Return the only project of the filter, if it is one."""
    operator, dot, operand = (query.project_id or "").partition(".")
    if dot and operator in (*COMPARISONS, "in", "ilike"):
        return operand if operator == "eq" else None
    return query.project_id


def _clauses(query: ListQuery) -> list[Clause]:
    clauses: list[Clause] = []
    faults: list[dict[str, Any]] = []
    for name in (*TEXTS, *TIMES, "status", *BOUNDS):
        value = getattr(query, name)
        try:
            if value is not None:
                clauses.append(_bound(name, value) if name in BOUNDS else _clause(name, value))
        except ValueError as error:
            faults.append({"type": "invalid", "loc": ("query", name), "msg": str(error), "input": value})
    if faults:
        raise RequestValidationError(faults)
    return clauses


def _clause(name: str, value: str) -> Any:
    """Parse a filter: `OPERATOR.value`, or a plain value for equality. Raises ValueError if the value does not fit the
    column."""
    operator, dot, operand = value.partition(".")
    if dot and operator == "in":
        return _column(name).in_([_operand(name, each) for each in _items(operand)])
    if dot and operator == "ilike" and name in TEXTS:
        return _ilike(name, operand)
    if dot and operator in COMPARISONS and (name != "status" or operator in ("eq", "neq")):
        return COMPARISONS[operator](_column(name), _operand(name, operand))
    return _column(name) == _operand(name, value)


def _bound(name: str, value: str) -> Clause:
    return COMPARISONS[BOUNDS[name]](_column(name[: -len("_gt")]), _time(value))


def _ilike(name: str, pattern: str) -> Any:
    """Return a case-insensitive match: `%` is any text, `_` any character, without escapes."""
    pattern = pattern.replace("\\", "\\\\")
    if name == "name":
        return col(Pipeline.folded_name).like(pattern.casefold(), escape="\\")
    return func.lower(_column(name)).like(func.lower(pattern), escape="\\")


def _items(operand: str) -> list[str]:
    if not (operand.startswith("(") and operand.endswith(")")):
        raise ValueError("Write a list as in.(a,b).")
    items = ((quoted, plain.strip()) for quoted, plain in ITEM.findall(operand[1:-1]))
    return [quoted or plain for quoted, plain in items if quoted or plain]


def _operand(name: str, value: str) -> Any:
    if name in TIMES:
        return _time(value)
    if name == "status":
        return _status(value)
    return value


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


def _column(name: str) -> Any:
    return col(getattr(Pipeline, name))
