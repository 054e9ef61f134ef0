"""Filters of the rows of any table: predicates on its columns, and on the tags of measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, exists

from app.models.measurements import Measurement, MeasurementTag
from app.pipelines.lists import predicates
from app.pipelines.lists.predicates import CLAUSES


class RowPredicate(NamedTuple):
    """Condition on a column of a table, or on the tags of a measurement. The operand is a value, a sequence of values,
    or a parameter of a prepared statement."""

    model: Any
    field: str
    operator: str
    operand: Any

    @property
    def column(self) -> Any:
        return col(MeasurementTag.folded_tag if self.field == "tags" else getattr(self.model, self.field))

    def clause(self) -> ColumnElement[bool]:
        if self.field != "tags":
            return CLAUSES[self.operator](self.column, self.operand)
        if self.operator == "all":
            return and_(True, *[_has_tag(CLAUSES["eq"](self.column, each)) for each in self.operand])
        return _has_tag(CLAUSES["in"](self.column, self.operand))

    def leaves(self) -> Iterator[RowPredicate]:
        yield self


def _has_tag(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(MeasurementTag.measurement_id) == col(Measurement.id), condition)


def predicate(model: Any, field: str, operator: str, operand: Any) -> RowPredicate:
    """Build a predicate from the operand that a client sends, as `app.pipelines.lists.predicates.predicate` does."""
    if field == "tags":
        operand = [each.casefold() for each in operand]
    return RowPredicate(model, *predicates.predicate(field, operator, operand))


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Filter of rows: predicates, which are ANDed."""

    conditions: tuple[RowPredicate, ...] = ()

    @property
    def project_ids(self) -> list[str]:
        """Return the projects that the filter names."""
        return [each.operand for each in self.conditions if each[1:3] == ("project_id", "eq")]

    def clauses(self) -> list[ColumnElement[bool]]:
        return [each.clause() for each in self.conditions]


def row_filter(model: Any, operators: Mapping[str, tuple[str, str]], values: Mapping[str, Any]) -> RowFilter:
    """Build the filter of the values that are not None; `operators` names the field and the operator of each."""
    given = ((name, value) for name, value in values.items() if value is not None)
    return RowFilter(tuple(predicate(model, *operators[name], value) for name, value in given))
