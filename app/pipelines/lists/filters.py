"""Filters of pipelines: predicates of both APIs, in SQL and in memory."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, false
from sqlmodel import col, exists, func

from app.database.changes import Change, Snapshot
from app.models.columns import Contains
from app.models.tables import Pipeline, PipelineElement

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
    "has_any": lambda values, operands: values is not None and not values.isdisjoint(operands),
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

    def concerns(self, change: Change) -> bool:
        """Return whether a pipeline matches after a change or did before it; if unknown, whether it may."""
        if not change.is_whole and change.after is not None:
            return self._what_stays().matches(change.after)
        if not change.is_whole:
            return self.project_id is None or change.project_ids is None or self.project_id in change.project_ids
        before, after = change.before, change.after
        return (before is not None and self.matches(before)) or (after is not None and self.matches(after))

    def matches(self, state: Snapshot) -> bool:
        """Return whether a complete snapshot matches; equal to the clauses in SQL."""
        return all(MATCHES[name](getattr(state, field), operand) for field, name, operand in self.predicates)

    def _what_stays(self) -> PipelineFilter:
        """Return the filter reduced to columns that no change can alter."""
        return PipelineFilter(tuple(each for each in self.predicates if each.field in UNCHANGEABLE))
