"""Series of measurements, from the preview that was stored when the file was read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlmodel import col, func, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import WrongArguments
from app.models.enums import MeasurementStatus
from app.models.measurements import Measurement, MeasurementChannel
from app.pipelines.access import visible
from app.pipelines.budget import ROW, Budget
from app.pipelines.series import EACH, SAMPLE, Found, Stored, Wanted, charge

Asked = tuple[str, Wanted]
"""Measurement id and selection."""


async def read_all(database: Database, caller: Caller, budget: Budget, asked: Sequence[Asked]) -> list[Found]:
    """Return the previews of measurements as JSON, `{column: [number or null, …]}`, the axis first; None unless the
    measurement is READY; WrongArguments for columns that it does not have. Raises AnswerTooLarge."""
    budget.take_work(EACH * len(asked))
    stored = await _find_stored(database, caller, budget, sorted({id for id, _ in asked}))
    found: dict[Asked, Found] = {}
    for each in dict.fromkeys(asked):
        id, wanted = each
        if (series := stored.get(id)) is None:
            continue
        if faults := wanted.unknown(series.channels):
            found[each] = WrongArguments(faults)
            continue
        charge(budget, wanted, series)
        found[each] = await _read(database, id, wanted, series.channels)
    texts = [found.get(each) for each in asked]
    budget.take_bytes(sum(len(text) for text in texts if isinstance(text, bytes)))
    return texts


async def _find_stored(database: Database, caller: Caller, budget: Budget, ids: list[str]) -> dict[str, Stored]:
    """Return the columns and the rows of each preview."""
    query = (
        select(
            col(MeasurementChannel.measurement_id),
            col(MeasurementChannel.name),
            func.octet_length(MeasurementChannel.samples),
        )
        .join(Measurement, col(Measurement.id) == col(MeasurementChannel.measurement_id))
        .where(
            visible(caller, Measurement),
            col(Measurement.status) == MeasurementStatus.READY,
            col(Measurement.id).in_(ids),
        )
        .order_by(col(MeasurementChannel.measurement_id), col(MeasurementChannel.position))
    )
    stored: dict[str, Stored] = {}
    async with database.read() as session:
        rows = (await session.exec(query.limit(budget.rows(ROW) + 1))).all()
    budget.take_work(ROW * len(rows))
    for id, name, size in rows:
        stored.setdefault(id, Stored([], size // SAMPLE)).channels.append(name)
    return stored


async def _read(database: Database, id: str, wanted: Wanted, channels: list[str]) -> bytes:
    from app.pipelines import downsampling  # it imports numpy, which a server without series does not need

    axis = wanted.x_column or channels[0]
    names = channels if wanted.columns is None else [name for name in channels if name in wanted.columns | {axis}]
    query = (
        select(MeasurementChannel.name, MeasurementChannel.samples)
        .where(col(MeasurementChannel.measurement_id) == id, col(MeasurementChannel.name).in_(names))
        .order_by(col(MeasurementChannel.position))
    )
    async with database.read() as session:
        samples: dict[str, bytes] = dict((await session.exec(query)).all())

    def answer() -> bytes:
        arrays = downsampling.arrays(samples)
        return downsampling.written(downsampling.cut(arrays, axis, wanted.x_min, wanted.x_max, wanted.max_points))

    return await asyncio.to_thread(answer)
