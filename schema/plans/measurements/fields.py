"""Fields of measurements and cells: how plans read each of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Select
from sqlmodel import col, select

from app.auth.caller import Caller
from app.models.enums import MeasurementStatus
from app.models.measurements import CellInstance, CellSpecification, Measurement
from app.pipelines.access import visible
from app.pipelines.budget import PARSED, ROW, VALUE, Budget
from app.pipelines.repository import Ids
from schema.plans.child_rows import ChildRows
from schema.plans.connection import USERS, ConnectionRows
from schema.plans.readers.computed import computed
from schema.plans.row_builder import FieldReader, RowBuilder
from schema.plans.selections import FieldDetailsList, name_of
from schema.plans.statements import CALLER

TABLES: dict[str, Any] = {
    "Measurement": Measurement.__table__,  # type: ignore[attr-defined]
    "CellInstance": CellInstance.__table__,  # type: ignore[attr-defined]
    "CellSpecification": CellSpecification.__table__,  # type: ignore[attr-defined]
}
"""Table of each type."""
MODELS: dict[str, Any] = {
    "Measurement": Measurement,
    "CellInstance": CellInstance,
    "CellSpecification": CellSpecification,
}
MEASUREMENT, CELL, SPECIFICATION = (table.c for table in TABLES.values())
ENDED = {status.name for status in MeasurementStatus if status.is_terminal}
COLUMN = frozenset({"name", "unit", "min", "max", "missing", "__typename"})
"""The fields of a column of a measurement, which are read from its JSON."""


def query_of(type_name: str, id: Any) -> Select[Any]:
    """Return the query of the object with an id that the caller may see."""
    model = MODELS[type_name]
    return select(model).where(visible(CALLER, model), col(model.id) == id)


def queries_of(type_name: str, caller: Caller, ids: Ids) -> Select[Any]:
    """Return the query of the objects with these ids that the caller may see."""
    model = MODELS[type_name]
    return select(model).where(visible(caller, model, by_id=True), col(model.id).in_(ids))


def column(column: Any) -> FieldReader:
    return lambda rows, details: rows.column(column)


def is_terminal(rows: RowBuilder, details: FieldDetailsList) -> Any:
    return rows.is_among(MEASUREMENT.status, ENDED)


def texts(column: Any) -> FieldReader:
    """Plan a list of strings that is stored as JSON; null is an empty list."""

    def read(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
        made = rows.call(_texts, rows.stored(column))
        rows.weigh(column)
        return made

    return read


def _texts(stored: str | bytes | None) -> list[str]:
    return orjson.loads(stored or b"[]")  # type: ignore[no-any-return]


def columns(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    fields = rows.compiling.selections.fields("MeasurementColumn", details)
    names = {key: name_of(each) for key, each in fields.items()}
    budget = rows.value(lambda run: run.budget)
    rows.weigh(MEASUREMENT.columns, PARSED)
    return rows.call(partial(_columns, names), rows.stored(MEASUREMENT.columns), budget)


def _columns(names: Mapping[str, str], stored: str | bytes | None, budget: Budget) -> list[dict[str, Any]]:
    """Return the columns with the selected fields, by response key. Raises AnswerTooLarge."""
    found = orjson.loads(stored or b"[]")
    budget.take_work(len(found) * (ROW + VALUE * len(names)))
    return [{key: _column_value(each, name) for key, name in names.items()} for each in found]


def _column_value(column: Mapping[str, Any], name: str) -> Any:
    """Return a field of a column. Its least and greatest values are Floats, also those that JSON has as integers."""
    if name == "__typename":
        return "MeasurementColumn"
    value = column[name]
    return float(value) if name in ("min", "max") and value is not None else value


def parent(reference: Any, type_name: str) -> FieldReader:
    """Plan the object that a column references by its id."""
    query = partial(queries_of, type_name, CALLER)

    def read(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
        found = ChildRows(rows, reference, query, TABLES[type_name].c.id, lambda each: each.object(type_name, details))
        return found.first(rows)

    return read


def used_by(rows: RowBuilder, details: FieldDetailsList) -> ast.expr:
    return ConnectionRows(USERS, rows, MEASUREMENT.id, details).one(rows)


FIELDS: dict[str, dict[str, Callable[[RowBuilder, FieldDetailsList], Any]]] = {
    "Measurement": {
        "isTerminal": is_terminal,
        "rows": column(MEASUREMENT.row_count),
        "bytes": column(MEASUREMENT.byte_count),
        "tags": texts(MEASUREMENT.tags),
        "columns": columns,
        "changes": texts(MEASUREMENT.changes),
        "details": column(MEASUREMENT.details),
        "series": computed("Measurement", MEASUREMENT.id),
        "downloadUrl": computed("Measurement", MEASUREMENT.id),
        "usedBy": used_by,
        "cell": parent(MEASUREMENT.cell_instance_id, "CellInstance"),
        "steps": column(MEASUREMENT.steps),
        "cycles": column(MEASUREMENT.cycles),
    },
    "CellInstance": {
        "details": column(CELL.details),
        "specification": parent(CELL.cell_specification_id, "CellSpecification"),
    },
    "CellSpecification": {"details": column(SPECIFICATION.details)},
}
"""Fields with resolvers."""
