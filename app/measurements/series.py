"""Series of measurements. The preview that was stored when the file was read answers for the whole measurement; for a
window or steps of it only if it has all rows. Otherwise the stored table is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlmodel import col, func, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import AnswerTooLarge, RequestError, RequestErrorCode, WrongArguments
from app.measurements import files
from app.measurements.files import FileGone
from app.measurements.parts import Part, PartReader
from app.models.enums import FileKind, MeasurementStatus
from app.models.measurements import Measurement, MeasurementChannel
from app.pipelines.access import visible
from app.pipelines.budget import ROW, Budget
from app.pipelines.results.series import EACH, SAMPLE, Stored, Wanted, charge

MOST_PREVIEW = 5_000
"""Maximum rows of a preview, and of a part unless `max_points` is given."""
START, END = "Start index", "End index"
"""Columns of the steps with the first and the last row of each."""
PART = 50_000
"""Units of work of a part that a child process reads: at most 19 in one answer."""
STEP_BYTES = 16
"""Bytes of the text of steps that are parsed for one unit of work."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selection of a series of a measurement. Steps are rows of `steps`, as in the options of a loader: both bounds are
    inclusive, and negative numbers count from the end."""

    wanted: Wanted
    first_step: int | None = None
    last_step: int | None = None

    @property
    def has_steps(self) -> bool:
        return self.first_step is not None or self.last_step is not None

    @property
    def is_part(self) -> bool:
        """Return whether this selects a part, or more rows than a preview has."""
        bounds = self.wanted.x_min, self.wanted.x_max, self.first_step, self.last_step
        return any(bound is not None for bound in bounds) or (self.wanted.max_points or 0) > MOST_PREVIEW


Asked = tuple[str, Selection]
"""Measurement id and selection."""
Found = bytes | RequestError | None


@dataclass(slots=True)
class Preview:
    """Metadata of a stored preview, read before its samples."""

    stored: Stored
    rows: int
    """Rows of the measurement."""

    def is_enough(self, selection: Selection) -> bool:
        """Return whether the preview answers exactly."""
        return self.stored.rows >= self.rows or not selection.is_part


async def read_all(
    database: Database, caller: Caller, budget: Budget, reader: PartReader, asked: Sequence[Asked]
) -> list[Found]:
    """Return series of measurements as JSON, `{column: [number or null, …]}`, in the order of the file; None unless the
    measurement is READY; WrongArguments for columns and steps that it does not have; another RequestError if a part
    cannot be read now. Raises AnswerTooLarge."""
    budget.take_work(EACH * len(asked))
    previews = await _find_previews(database, caller, budget, sorted({id for id, _ in asked}))
    found: dict[Asked, Found] = {}
    for each in dict.fromkeys(asked):
        if (preview := previews.get(each[0])) is not None:
            try:
                found[each] = await _answer(database, budget, reader, each, preview)
            except WrongArguments as wrong:
                found[each] = wrong
            except AnswerTooLarge:
                raise
            except RequestError as refused:
                found[each] = refused
    texts = [found.get(each) for each in asked]
    budget.take_bytes(sum(len(text) for text in texts if isinstance(text, bytes)))
    return texts


async def _find_previews(database: Database, caller: Caller, budget: Budget, ids: list[str]) -> dict[str, Preview]:
    """Return the columns and the rows of each preview."""
    query = (
        select(
            col(MeasurementChannel.measurement_id),
            col(Measurement.row_count),
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
    found: dict[str, Preview] = {}
    async with database.read() as session:
        rows = (await session.exec(query.limit(budget.rows(ROW) + 1))).all()
    budget.take_work(ROW * len(rows))
    for id, count, name, size in rows:
        found.setdefault(id, Preview(Stored([], size // SAMPLE), count or 0)).stored.channels.append(name)
    return found


async def _answer(database: Database, budget: Budget, reader: PartReader, asked: Asked, preview: Preview) -> bytes:
    """Return one series. Raises RequestError."""
    (id, selection), channels = asked, preview.stored.channels
    wanted = selection.wanted
    if faults := wanted.unknown(channels):
        raise WrongArguments(faults)
    axis = wanted.x_column or channels[0]
    names = channels if wanted.columns is None else [name for name in channels if name in wanted.columns | {axis}]
    first, end = await _rows(database, budget, asked, preview.rows)
    if preview.is_enough(selection):
        charge(budget, wanted, preview.stored)
        return await _shown(
            database, id, wanted, names, axis, slice(first, end) if selection.has_steps else slice(None)
        )
    most = wanted.max_points or MOST_PREVIEW
    budget.take_work(PART)
    charge(budget, wanted, Stored(channels, min(most, end - first)))
    async with database.read() as session:
        table = await files.find(session, id, FileKind.TABLE)
    part = Part(tuple(names), axis, first, end, wanted.x_min, wanted.x_max, most)
    try:
        if table is None:
            raise FileGone(id)
        return await reader.read(table, part)
    except FileGone:
        raise RequestError(RequestErrorCode.NOT_FOUND, "The measurement was deleted while it was read.") from None


async def _rows(database: Database, budget: Budget, asked: Asked, rows: int) -> tuple[int, int]:
    """Return the first row of the selected steps and the one after their last; all rows without bounds. Raises
    WrongArguments."""
    id, selection = asked
    if not selection.has_steps:
        return 0, rows
    async with database.read() as session:
        text = (await session.exec(select(Measurement.steps).where(col(Measurement.id) == id))).first()
    budget.take_work(len(text or "") // STEP_BYTES)
    steps = await asyncio.to_thread(orjson.loads, text or "null")
    return step_rows(selection, steps or {})


def step_rows(selection: Selection, steps: dict[str, list[int]]) -> tuple[int, int]:
    """Return the first row of the selected steps and the one after their last. Raises WrongArguments."""
    starts, ends = steps.get(START), steps.get(END)
    bounds = {"first_step": selection.first_step, "last_step": selection.last_step}
    if not starts or not ends:
        raise WrongArguments({name: "The measurement has no steps." for name, at in bounds.items() if at is not None})
    count = len(starts)
    wrong = {
        name: f"Step {at} does not exist: the measurement has {count:,}, from 0."
        for name, at in bounds.items()
        if at is not None and not -count <= at < count
    }
    if wrong:
        raise WrongArguments(wrong)
    first, last = (
        at % count for at in (selection.first_step or 0, -1 if bounds["last_step"] is None else bounds["last_step"])
    )
    if last < first:
        raise WrongArguments({"last_step": f"The steps end, at {last}, before they begin, at {first}."})
    return int(starts[first]), int(ends[last]) + 1


async def _shown(database: Database, id: str, wanted: Wanted, names: list[str], axis: str, rows: slice) -> bytes:
    """Return a series from the stored preview."""
    from app.pipelines.results import downsampling  # it imports numpy, which a server without series does not need

    query = (
        select(MeasurementChannel.name, MeasurementChannel.samples)
        .where(col(MeasurementChannel.measurement_id) == id, col(MeasurementChannel.name).in_(names))
        .order_by(col(MeasurementChannel.position))
    )
    async with database.read() as session:
        samples: dict[str, bytes] = dict((await session.exec(query)).all())

    def answer() -> bytes:
        arrays = {name: values[rows] for name, values in downsampling.arrays(samples).items()}
        return downsampling.written(downsampling.cut(arrays, axis, wanted.x_min, wanted.x_max, wanted.max_points))

    return await asyncio.to_thread(answer)
