"""Filters of lists of cells and measurements: the query parameters of the official client."""

from __future__ import annotations

from typing import Any

from app.models.enums import MeasurementStatus, MeasurementType
from app.models.measurements import Measurement
from app.pipelines.lists.pagination import Direction, Order
from app.pipelines.lists.row_filters import RowFilter, RowPredicate, predicate
from app.rest.measurements.schemas import CellQuery, ListQuery, MeasurementQuery, as_utc

TEXTS = ("name", "created_by_email")
BOUNDS = {"gt": "gte", "lt": "lte"}
"""Suffixes of bounds, which are inclusive, as in lists of pipelines."""
OPERATORS = ("eq", "neq", "ilike")


def cell_filter(model: Any, query: ListQuery, *fixed: RowPredicate) -> RowFilter:
    """Return the filter of a query, with predicates that the address fixes."""
    found = [*fixed]
    if query.project_id is not None:
        found.append(predicate(model, "project_id", "eq", query.project_id))
    for name in TEXTS:
        if (value := getattr(query, name)) is not None:
            found.append(_text(model, name, value))
    for column in ("created_at", "updated_at", "start_time"):
        for suffix, operator in BOUNDS.items():
            if (value := getattr(query, f"{column}_{suffix}", None)) is not None:
                found.append(predicate(model, column, operator, as_utc(value)))
    return RowFilter(tuple(found))


def measurement_filter(query: MeasurementQuery, *fixed: RowPredicate) -> RowFilter:
    """Return the filter of a query for measurements whose upload was confirmed."""
    found = [*fixed, predicate(Measurement, "status", "neq", MeasurementStatus.UPLOADING)]
    if query.measurement_type is not None:
        kinds = [each for each in MeasurementType if each.value == query.measurement_type]
        found.append(predicate(Measurement, "type", "in", kinds))
    if query.q is not None:
        found.append(predicate(Measurement, "name", "contains", query.q))
    for tags, operator in ((query.tags_all, "all"), (query.tags_any, "any")):
        if tags:
            found.append(predicate(Measurement, "tags", operator, tags))
    return cell_filter(Measurement, query, *found)


def order(kind: type[Order], query: CellQuery | MeasurementQuery) -> Order:
    """Return the order of a query."""
    column: Any = query.order_by
    return kind(column, Direction[query.order.upper()])


def _text(model: Any, name: str, value: str) -> RowPredicate:
    """Parse a filter: `OPERATOR.value`, or a plain value for equality."""
    operator, dot, operand = value.partition(".")
    if not dot or operator not in OPERATORS:
        operator, operand = "eq", value
    return predicate(model, name, operator, operand)
