"""Repository of measurements and cells: reads limited to the rows of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.orm import defer
from sqlmodel import col, func, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.enums import FileKind
from app.models.measurements import CellInstance, CellSpecification, Measurement, MeasurementFile, PipelineMeasurement
from app.models.tables import Pipeline
from app.pipelines.access import visible
from app.pipelines.budget import LOADED, Budget
from app.pipelines.lists.pagination import Matches, Order, plain_text
from app.pipelines.lists.row_filters import RowFilter, RowPredicate
from app.pipelines.repository import sum_of_bytes

LARGE = ("steps", "cycles")
"""JSON columns of a measurement, read only if selected."""
WITHOUT_LARGE = tuple(defer(getattr(Measurement, name), raiseload=True) for name in LARGE)


async def measurement(database: Database, caller: Caller, id: str) -> Measurement | None:
    """Load a measurement without its large columns."""
    return (await measurements(database, caller, [id])).get(id)


async def measurements(database: Database, caller: Caller, ids: Sequence[str]) -> dict[str, Measurement]:
    """Load measurements by id, without their large columns; missing ones are left out."""
    query = select(Measurement).where(visible(caller, Measurement, by_id=True), col(Measurement.id).in_(ids))
    async with database.read() as session:
        return {row.id: row for row in await session.exec(query.options(*WITHOUT_LARGE))}


async def listing(
    database: Database, caller: Caller, filter: RowFilter, order: Order, skip: int, limit: int
) -> tuple[list[Any], int]:
    """List rows by offset, and count all matches. Raises FORBIDDEN."""
    matches = Matches(caller, filter, order)
    query = matches.rows(skip, limit)
    if order.model is Measurement:
        query = query.options(*WITHOUT_LARGE)
    async with database.read() as session:
        return list(await session.exec(query)), (await session.exec(matches.total())).one()


async def cells(database: Database, caller: Caller, model: Any, ids: Sequence[str]) -> dict[str, Any]:
    """Load cell specifications or instances by id; missing ones are left out."""
    query = select(model).where(visible(caller, model, by_id=True), col(model.id).in_(ids))
    async with database.read() as session:
        return {row.id: row for row in await session.exec(query)}


async def instances(
    database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget
) -> list[CellInstance | None]:
    """Load cell instances by id."""
    return await _by_id(database, caller, CellInstance, ids, budget)


async def specifications(
    database: Database, caller: Caller, ids: Sequence[str], *, budget: Budget
) -> list[CellSpecification | None]:
    """Load cell specifications by id."""
    return await _by_id(database, caller, CellSpecification, ids, budget)


async def _by_id(database: Database, caller: Caller, model: Any, ids: Sequence[str], budget: Budget) -> list[Any]:
    found = await cells(database, caller, model, ids)
    budget.take_work(LOADED * len(found))
    return [found.get(id) for id in ids]


async def large_column(
    database: Database, caller: Caller, column: str, ids: Sequence[str], *, budget: Budget
) -> list[str | None]:
    """Load one of the LARGE columns of each of the measurements, as JSON text. Raises AnswerTooLarge before it is
    read."""
    read = getattr(Measurement, column)
    theirs = visible(caller, Measurement), col(Measurement.id).in_(ids)
    async with database.read() as session:
        budget.require_bytes((await session.exec(select(sum_of_bytes(database, read)).where(*theirs))).one())
        found: dict[str, str | None] = dict((await session.exec(select(Measurement.id, read).where(*theirs))).all())
    return [found.get(id) for id in ids]


async def file_ids(database: Database, caller: Caller, kind: FileKind, ids: Sequence[str]) -> list[str | None]:
    """Return the complete file of each of the measurements."""
    query: Any = (
        sa.select(col(Measurement.id), func.max(col(MeasurementFile.id)))
        .join(Measurement, col(Measurement.id) == col(MeasurementFile.measurement_id))
        .where(
            visible(caller, Measurement),
            col(Measurement.id).in_(ids),
            col(MeasurementFile.kind) == kind,
            col(MeasurementFile.is_complete).is_(True),
        )
        .group_by(col(Measurement.id))
    )
    async with database.read() as session:
        found = dict(map(tuple, (await session.exec(query)).all()))
    return [found.get(id) for id in ids]


class UsersFilter(RowFilter):
    """Filter of pipelines by their references to measurements."""

    __slots__ = ()

    @classmethod
    def of(cls, measurement_id: str) -> UsersFilter:
        """Return the filter of pipelines that reference a measurement."""
        return cls((RowPredicate(PipelineMeasurement, "measurement_id", "eq", measurement_id),))

    def clauses(self) -> list[ColumnElement[bool]]:
        return [*super().clauses(), col(PipelineMeasurement.pipeline_id) == col(Pipeline.id)]


class UsersOrder(Order):
    """Order of pipelines that reference a measurement, by the index of the references: ids sort by creation time, and
    an order by a column of pipelines would make SQLite read all pipelines of the organization."""

    __slots__ = ()
    is_by_id: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__("id")

    @property
    def columns(self) -> tuple[Any, Any]:
        return col(PipelineMeasurement.pipeline_id), col(PipelineMeasurement.pipeline_id)

    def _value(self, text: Any) -> Any:
        return plain_text(text)
