"""Filters of pipelines: predicates of both APIs, in SQL and in memory."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, false
from sqlmodel import col, exists, func

from app.database.broker import Match
from app.database.changes import COLUMNS, Change, Snapshot
from app.models.columns import Contains
from app.models.tables import Pipeline, PipelineElement

State = Mapping[str, Any]
"""Known fields of a pipeline at one time."""
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
"""Comparisons, of columns as of values."""
CLAUSES: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    **COMPARISONS,
    "in": lambda column, operands: _in(column, operands),
    "has_any": lambda column, operands: exists().where(
        col(PipelineElement.pipeline_id) == col(Pipeline.id), CLAUSES["in"](column, operands)
    ),
    "contains": Contains,
    "like": lambda column, pattern: column.like(pattern, escape="\\"),
    "ilike": lambda column, pattern: func.lower(column).like(func.lower(pattern), escape="\\"),
}
MATCHES: dict[str, Callable[[Any, Any], bool]] = {
    **COMPARISONS,
    "in": lambda value, operands: value in operands,
    "has_any": lambda values, operands: not values.isdisjoint(operands),
    "contains": operator.contains,
}
FOLDED = {"contains": "contains", "ilike": "like"}
"""Operators of the name that ignore case, and the operators for its folded column."""
UNCHANGEABLE = {"project_id", "created_by_email", "created_at"}
"""Fields that no change of a pipeline alters."""


def _in(column: Any, operands: Any) -> ColumnElement[bool]:
    """Return the condition of being among operands: a sequence, or a parameter of a prepared statement."""
    is_empty = isinstance(operands, list | tuple) and not operands
    return false() if is_empty else column.in_(operands)


class Predicate(NamedTuple):
    """Condition on a field: a column of pipelines, or `element_types`. The operand is a value, a list of values, or a
    parameter of a prepared statement."""

    field: str
    operator: str
    operand: Any

    def clause(self) -> ColumnElement[bool]:
        of_elements = self.field == "element_types"
        column = col(PipelineElement.element_type if of_elements else getattr(Pipeline, self.field))
        return CLAUSES[self.operator](column, self.operand)

    def matches(self, state: State) -> bool | None:
        """Return whether a state matches; None if it lacks the field."""
        if self.field not in state:
            return None
        return MATCHES[self.operator](state[self.field], self.operand)


def predicate(field: str, operator: str, operand: Any) -> Predicate:
    """Build a predicate from the operand that a client sends. In an `ilike` pattern, `%` is any text and `_` any
    character, without escapes."""
    if operator == "ilike":
        operand = operand.replace("\\", "\\\\")
    if field == "name" and operator in FOLDED:
        return Predicate("folded_name", FOLDED[operator], operand.casefold())
    return Predicate(field, operator, tuple(dict.fromkeys(operand)) if isinstance(operand, list) else operand)


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Filter of pipelines: predicates, which are ANDed."""

    predicates: tuple[Predicate, ...] = ()

    @property
    def project_id(self) -> str | None:
        """Return the project that every match belongs to, if the filter names it."""
        return next(
            (operand for field, name, operand in self.predicates if (field, name) == ("project_id", "eq")), None
        )

    def clauses(self) -> list[ColumnElement[bool]]:
        return [each.clause() for each in self.predicates]

    def match(self, change: Change) -> Match | None:
        """Match a change; None if the pipeline matches neither before nor after it. A notification can
        lack the snapshots, and a missed change the state before it: the match is unknown there."""
        before, after = _states(change)
        found = Match(self.matches(before), self.matches(after), after is None)
        return None if found.before is False and found.after is False else found

    def matches(self, state: State | None) -> bool | None:
        """Return whether a state matches, as the clauses do in SQL; None if it depends on unknown fields. Without a
        state, the pipeline does not exist and does not match."""
        if state is None:
            return False
        found = [each.matches(state) for each in self.predicates]
        return False if False in found else None if None in found else True


def _states(change: Change) -> tuple[State | None, State | None]:
    """Return what a change tells of the states before and after it."""
    before, after = change.before, change.after
    if change.is_whole:
        return (None if before is None else known(before)), (None if after is None else known(after))
    if after is not None:
        fields = known(after)
        return {field: fields[field] for field in UNCHANGEABLE}, fields
    if change.project_ids is None:
        return {}, {}
    first, last = (None if project is None else {"project_id": project} for project in change.project_ids)
    return first, last


def known(snapshot: Snapshot) -> State:
    """Return the fields of a snapshot that are known."""
    known = {name: getattr(snapshot, name) for name in COLUMNS}
    return known if snapshot.element_types is None else known | {"element_types": snapshot.element_types}
