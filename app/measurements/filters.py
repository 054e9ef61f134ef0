"""Filters and orders of measurements, for both APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, exists

from app.models.enums import DescribedEnum
from app.models.measurements import CellInstance, CellSpecification, Measurement, MeasurementTag
from app.pipelines.lists import predicates
from app.pipelines.lists.pagination import Order
from app.pipelines.lists.predicates import CLAUSES

OrderColumn = Literal["id", "name", "created_at", "updated_at", "start_time"]
"""Columns that REST sorts by."""


class MeasurementOrderField(DescribedEnum):
    """Sort key of measurements. Ties are broken by `id`."""

    CREATED_AT = "created_at", "When it was created."
    UPDATED_AT = "updated_at", "When it last changed."
    NAME = "name", "Its name, in binary order of UTF-8."


class MeasurementOrder(Order):
    """Total order of measurements, nulls last."""

    __slots__ = ()
    model: ClassVar[Any] = Measurement


class CellSpecificationOrder(Order):
    """Total order of cell specifications."""

    __slots__ = ()
    model: ClassVar[Any] = CellSpecification


class CellInstanceOrder(Order):
    """Total order of cell instances."""

    __slots__ = ()
    model: ClassVar[Any] = CellInstance


class RowPredicate(NamedTuple):
    """Condition on a column of a table, or on the tags of a measurement."""

    model: Any
    field: str
    operator: str
    operand: Any

    def clause(self) -> ColumnElement[bool]:
        if self.field != "tags":
            return CLAUSES[self.operator](col(getattr(self.model, self.field)), self.operand)
        tags = [_has_tag(CLAUSES["eq"](col(MeasurementTag.folded_tag), each.casefold())) for each in self.operand]
        if self.operator == "all":
            return and_(True, *tags)
        return _has_tag(CLAUSES["in"](col(MeasurementTag.folded_tag), [each.casefold() for each in self.operand]))


def _has_tag(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(MeasurementTag.measurement_id) == col(Measurement.id), condition)


def predicate(model: Any, field: str, operator: str, operand: Any) -> RowPredicate:
    """Build a predicate from the operand that a client sends, as `app.pipelines.lists.predicates.predicate` does."""
    return RowPredicate(model, *predicates.predicate(field, operator, operand))


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Filter of rows: predicates, which are ANDed."""

    predicates: tuple[RowPredicate, ...] = ()

    @property
    def project_ids(self) -> list[str]:
        """Return the projects that the filter names."""
        return [each.operand for each in self.predicates if each[1:3] == ("project_id", "eq")]

    def clauses(self) -> list[ColumnElement[bool]]:
        return [each.clause() for each in self.predicates]
