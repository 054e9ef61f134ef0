"""Predicates of lists: conditions on columns and their combinations, in SQL and in memory."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlmodel import col, exists, func

from app.models.columns import Contains, Search, StartsWith, without_index
from app.models.tables import Pipeline, PipelineElement, PipelineLabel
from app.pipelines.lists.labels import folded

State = Mapping[str, Any]
"""Known fields of a pipeline at one time."""
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
"""Comparisons, of columns as of values."""


def _compare(compare: Callable[[Any, Any], Any], value: Any, operand: Any) -> bool:
    """Compare values. Null equals nothing and is not ordered, as in SQL."""
    return value is not None and bool(compare(value, operand))


CLAUSES: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    **COMPARISONS,
    "neq": lambda column, operand: column.is_distinct_from(operand),
    "in": lambda column, operands: _in(column, operands),
    "has_any": lambda column, operands: exists().where(
        col(PipelineElement.pipeline_id) == col(Pipeline.id), CLAUSES["in"](column, operands)
    ),
    "has_label": lambda column, operands: _has_label(CLAUSES["in"](column, operands)),
    "contains": Search,
    "contains_short": Contains,
    "contains_ascii": lambda column, operand: Search(func.lower(column), operand),
    "contains_ascii_short": lambda column, operand: Contains(func.lower(column), operand),
    "starts_with": StartsWith,
    "like": lambda column, pattern: column.like(pattern, escape="\\"),
    "ilike": lambda column, pattern: func.lower(column).like(func.lower(pattern), escape="\\"),
}
MATCHES: dict[str, Callable[[Any, Any], bool]] = {
    **{name: partial(_compare, compare) for name, compare in COMPARISONS.items()},
    "neq": operator.ne,
    "in": lambda value, operands: value in operands,
    "has_any": lambda values, operands: not values.isdisjoint(operands),
    "has_label": lambda stored, operands: not folded(stored).isdisjoint(operands),
    "contains": operator.contains,
    "contains_short": operator.contains,
    "starts_with": str.startswith,
}
LONGEST_SEARCH = 10_001
"""Characters of a text that is searched for. The rest of a longer text is left out: it is in no name or description
anyway, as these have at most 10,000 characters, names at most 765 when folded."""
FOLDED = {"contains": "contains", "starts_with": "starts_with", "ilike": "like"}
"""Operators of the name that ignore case, and the operators for its folded column."""
TRIGRAM = 3
"""Length of the texts that indexes of names and descriptions hold."""
ASCII = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""Lower case of ASCII letters, which is what `lower` of both databases does to strings that are compared by bytes."""


def _has_label(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(PipelineLabel.pipeline_id) == col(Pipeline.id), condition)


def _in(column: Any, operands: Any) -> ColumnElement[bool]:
    """Return the condition of being among operands: a sequence, or a parameter of a prepared statement."""
    is_empty = isinstance(operands, list | tuple) and not operands
    return false() if is_empty else column.in_(operands)


def column_of(field: str) -> Any:
    """Return the column of a field: of the pipeline, of one of its elements, or of its labels."""
    if field.startswith(UNINDEXED):
        return without_index(column_of(field[len(UNINDEXED) :]))
    if field == "element_types":
        return col(PipelineElement.element_type)
    if field == "labels":
        return col(PipelineLabel.folded_label)
    model, name = (PipelineElement, field[len(OF_ELEMENT) :]) if field.startswith(OF_ELEMENT) else (Pipeline, field)
    return col(getattr(model, name))


UNINDEXED = "~"
"""Start of fields whose index SQLite does not use."""
OF_ELEMENT = "element."
"""Start of the fields of elements, within a group `element`."""


class Predicate(NamedTuple):
    """Condition on a field. The operand is a value, a tuple of values, or a parameter of a prepared statement."""

    field: str
    operator: str
    operand: Any

    @property
    def column(self) -> Any:
        return column_of(self.field)

    def clause(self) -> ColumnElement[bool]:
        return CLAUSES[self.operator](self.column, self.operand)

    def matches(self, state: State) -> bool | None:
        """Return whether a state matches; None if it lacks the field."""
        if self.field not in state:
            return None
        return MATCHES[self.operator](state[self.field], self.operand)

    def leaves(self) -> Iterator[Predicate]:
        yield self


class Group(NamedTuple):
    """Conditions that are ANDed, ORed, or of which not all hold; `element`: which one element of the pipeline meets."""

    operator: Literal["and", "or", "not", "element"]
    conditions: tuple[Condition, ...]

    def clause(self) -> ColumnElement[bool]:
        clauses = [each.clause() for each in self.conditions]
        if self.operator == "or":
            return or_(false(), *clauses)
        if self.operator == "element":
            return exists().where(col(PipelineElement.pipeline_id) == col(Pipeline.id), *clauses)
        # A comparison with null is null, which counts as false here as everywhere.
        return and_(true(), *clauses) if self.operator == "and" else and_(true(), *clauses).is_not(true())

    def matches(self, state: State) -> bool | None:
        """Return whether a state matches; None if it depends on fields that the state lacks."""
        if self.operator == "element":
            return None
        found = [each.matches(state) for each in self.conditions]
        if self.operator == "or":
            return True if True in found else None if None in found else False
        every = all_of(found)
        return every if self.operator == "and" or every is None else not every

    def leaves(self) -> Iterator[Predicate]:
        for each in self.conditions:
            yield from each.leaves()


Condition = Predicate | Group
NOTHING, EVERYTHING = Group("or", ()), Group("and", ())
"""Conditions that no pipeline meets, and that every pipeline meets."""


def all_of(found: list[bool | None]) -> bool | None:
    """Return whether all are true; None if it depends on unknown ones."""
    return False if False in found else None if None in found else True


def predicate(field: str, operator: str, operand: Any) -> Predicate:
    """Build a predicate from the operand that a client sends. In an `ilike` pattern, `%` is any text and `_` any
    character, without escapes."""
    if operator == "ilike":
        operand = operand.replace("\\", "\\\\")
    if operator in ("contains", "contains_ascii", "starts_with"):
        operand = operand[:LONGEST_SEARCH]
    if operator == "contains_ascii":
        operand = operand.translate(ASCII)
    if field == "name" and operator in FOLDED:
        field, operator, operand = "folded_name", FOLDED[operator], operand.casefold()
    if operator in ("contains", "contains_ascii") and len(operand) < TRIGRAM:
        operator += "_short"
    return Predicate(field, operator, tuple(dict.fromkeys(operand)) if isinstance(operand, list) else operand)
