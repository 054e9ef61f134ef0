"""Series of results: reads of the selected channels and rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, true
from sqlmodel import col, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.errors import WrongArguments
from app.models.enums import HISTORY, PipelineElementStatus, SeriesSource
from app.models.tables import PipelineElement, SeriesChannel
from app.pipelines.access import visible_elements
from app.pipelines.budget import ROW, Budget

MOST_POINTS = 100_000
"""Maximum number of rows of a downsampled series."""
NAMED = 10
"""Maximum number of wrong names in an error message."""
TOGETHER = 500
"""Maximum number of elements whose series one statement reads."""
SAMPLE = 8
"""Bytes of a stored sample."""
EACH, READ, THINNED, WRITTEN = 250, 0.04, 6.0, 0.15
"""Units of work (`app.pipelines.budget`) of a series, of each sample that is read, of each row that is left of a series
which is thinned, and of each sample that is shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Selection of one series. `columns` are the channels besides the axis; None selects all. `x_column` is the axis;
    None selects the first channel. `x_min` and `x_max` are inclusive bounds in the axis' own unit; a row without a
    value on the axis is out of bounds. `max_points` is the maximum number of rows; None returns all."""

    objective: str
    source: SeriesSource = SeriesSource.OPTIMAL
    columns: frozenset[str] | None = None
    x_column: str | None = None
    max_points: int | None = None
    x_min: float | None = None
    x_max: float | None = None

    def check(self) -> None:
        """Raise WrongArguments for arguments that are invalid for every series."""
        if faults := dict(self._faults()):
            raise WrongArguments(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        if self.max_points is not None and not 2 <= self.max_points <= MOST_POINTS:
            yield "max_points", f"A series can be thinned to 2 to {MOST_POINTS:,} points, not {self.max_points:,}."
        if self.x_min is not None and self.x_max is not None and self.x_min > self.x_max:
            yield "x_max", f"The window ends, at {self.x_max:g}, before it begins, at {self.x_min:g}."

    def unknown(self, channels: list[str]) -> dict[str, str]:
        """Return an error message for each argument that names channels missing from the series."""
        asked = {"columns": self.columns or frozenset(), "x_column": frozenset([self.x_column or channels[0]])}
        there = set(channels)
        return {name: _none_of(names - there, channels) for name, names in asked.items() if names - there}

    @property
    def needed(self) -> ColumnElement[bool]:
        """Return an SQL condition on the channels whose samples are needed."""
        if self.columns is None:
            return true()
        axis = col(SeriesChannel.position) == 0 if self.x_column is None else col(SeriesChannel.name) == self.x_column
        return axis | col(SeriesChannel.name).in_(sorted(self.columns))


class Asked(NamedTuple):
    """Request for the series of one element."""

    element_id: str
    wanted: Wanted

    @property
    def key(self) -> Key:
        """Return the key of the stored series."""
        return self.element_id, self.wanted.objective, self.wanted.source

    @property
    def shape(self) -> tuple[Any, ...]:
        """Return the part of the request that is equal for all series read by one statement."""
        return self.wanted.objective, self.wanted.source, self.wanted.columns, self.wanted.x_column


Key = tuple[str, str, SeriesSource]
"""Key of a stored series: element id, objective and source."""
Found = bytes | WrongArguments | None


class Stored(NamedTuple):
    """Metadata of a stored series, read before its samples."""

    channels: list[str]
    """Names, the axis first."""
    rows: int


async def read(database: Database, caller: Caller, budget: Budget, element_id: str, wanted: Wanted) -> bytes | None:
    """Return a series as JSON, `{channel: [number or null, …]}`, with channels in stored order and of equal length.
    Returns None if the element, objective or source does not exist, or the element is not COMPLETED. Raises
    WrongArguments and AnswerTooLarge."""
    wanted.check()
    [found] = await read_all(database, caller, budget, [(element_id, wanted)])
    if isinstance(found, WrongArguments):
        raise found
    return found


async def read_all(
    database: Database, caller: Caller, budget: Budget, asked: Sequence[tuple[str, Wanted]]
) -> list[Found]:
    """Return several series, each as `read` returns it or as its WrongArguments. One statement looks up which series
    exist; one statement per shape reads the samples. Raises AnswerTooLarge."""
    budget.take_work(EACH * len(asked))
    distinct = list(dict.fromkeys(Asked(*each) for each in asked))
    stored = await find_stored(database, caller, budget, distinct)
    found: dict[tuple[str, Wanted], Found] = {}
    for each in distinct:
        if (series := stored.get(each.key)) is not None and (faults := each.wanted.unknown(series.channels)):
            found[each] = WrongArguments(faults)
    readable = [each for each in distinct if each.key in stored and each not in found]
    for each in readable:
        charge(budget, each.wanted, stored[each.key])
    for group in _groups(readable):
        samples = await read_samples(database, caller, group)
        for each in group:
            if channels := samples.get(each.key):
                axis = each.wanted.x_column or stored[each.key].channels[0]
                found[each] = await asyncio.to_thread(_answer, channels, axis, each.wanted)
    texts = [found.get(each) for each in asked]
    budget.take_bytes(sum(len(text) for text in texts if isinstance(text, bytes)))
    return texts


def charge(budget: Budget, wanted: Wanted, series: Stored) -> None:
    """Charge the work of reading a series to the budget. Raises AnswerTooLarge."""
    channels = len(series.channels) if wanted.columns is None else len(wanted.columns) + 1
    thinned = min(wanted.max_points or 0, series.rows)
    shown = thinned if wanted.max_points else series.rows
    budget.take_work(int(series.rows * channels * READ + thinned * THINNED + shown * channels * WRITTEN))


def _groups(asked: list[Asked]) -> Iterator[list[Asked]]:
    """Group the requests whose samples one statement reads."""
    by_shape: dict[tuple[Any, ...], list[Asked]] = {}
    for each in asked:
        by_shape.setdefault(each.shape, []).append(each)
    for alike in by_shape.values():
        alike.sort(key=lambda each: each.element_id)
        yield from (alike[start : start + TOGETHER] for start in range(0, len(alike), TOGETHER))


async def find_stored(database: Database, caller: Caller, budget: Budget, asked: Iterable[Asked]) -> dict[Key, Stored]:
    """Look up which of the requested series exist. Raises AnswerTooLarge."""
    ids = sorted({each.element_id for each in asked})
    keys = {each.key for each in asked}
    found: dict[Key, Stored] = {}
    for start in range(0, len(ids), TOGETHER):
        query = _query(
            caller,
            ids[start : start + TOGETHER],
            {objective for _, objective, _ in keys},
            {source for *_, source in keys},
            col(SeriesChannel.name),
            func.octet_length(SeriesChannel.samples),
        )
        async with database.read() as session:
            rows = (await session.exec(query.limit(budget.rows(ROW) + 1))).all()
        budget.take_work(ROW * len(rows))
        for *key, name, size in rows:
            if (at := tuple(key)) in keys:
                found.setdefault(at, Stored([], size // SAMPLE)).channels.append(name)
    return found


async def read_samples(database: Database, caller: Caller, asked: Sequence[Asked]) -> dict[Key, dict[str, bytes]]:
    """Load the samples of series of one shape: by key, then by channel name in stored order."""
    first = asked[0].wanted
    ids = sorted({each.element_id for each in asked})
    query = _query(caller, ids, {first.objective}, {first.source}, col(SeriesChannel.name), col(SeriesChannel.samples))
    found: dict[Key, dict[str, bytes]] = {}
    async with database.read() as session:
        for element_id, objective, source, name, samples in await session.exec(query.where(first.needed)):
            found.setdefault((element_id, objective, source), {})[name] = samples
    return found


def _query(
    caller: Caller, ids: list[str], objectives: Iterable[str], sources: Iterable[SeriesSource], *columns: Any
) -> Any:
    """Build the query for the channels of the series of COMPLETED elements, in stored order within each series."""
    key = (col(SeriesChannel.element_id), col(SeriesChannel.objective), col(SeriesChannel.source))
    return (
        select(*key, *columns)
        .join(PipelineElement, col(PipelineElement.id) == col(SeriesChannel.element_id))
        .where(
            of_completed(caller, ids),
            key[1].in_(sorted(objectives)),
            key[2].in_(sorted(sources, key=lambda source: source.name)),
        )
        .order_by(*key, col(SeriesChannel.position))
    )


async def channels(database: Database, caller: Caller, element_id: str) -> dict[str, dict[SeriesSource, list[str]]]:
    """Load the names of the channels by objective and source, the axis first. The history of a fit is left out."""
    query = (
        select(col(SeriesChannel.objective), col(SeriesChannel.source), col(SeriesChannel.name))
        .join(PipelineElement, col(PipelineElement.id) == col(SeriesChannel.element_id))
        .where(of_completed(caller, [element_id]), col(SeriesChannel.objective) != HISTORY)
        .order_by(col(SeriesChannel.series_number), col(SeriesChannel.position))
    )
    found: dict[str, dict[SeriesSource, list[str]]] = {}
    async with database.read() as session:
        for (objective, source), rows in groupby(await session.exec(query), lambda row: (row[0], row[1])):
            found.setdefault(objective, {})[source] = [name for _, _, name in rows]
    return found


def of_completed(caller: Caller, ids: Any) -> ColumnElement[bool]:
    """Return the condition for the series of completed elements that the caller may see."""
    completed = col(PipelineElement.status) == PipelineElementStatus.COMPLETED
    return visible_elements(caller) & completed & col(SeriesChannel.element_id).in_(ids)


def _none_of(unknown: frozenset[str], found: Iterable[str]) -> str:
    named = ", ".join(f"{name!r:.80}" for name in sorted(unknown)[:NAMED])
    return f"The series has no channel {named}. It has {', '.join(map(repr, found))}."


def _answer(channels: dict[str, bytes], axis: str, wanted: Wanted) -> bytes:
    from app.pipelines.results import downsampling  # it imports numpy, which a server without series does not need

    arrays = downsampling.arrays(channels)
    return downsampling.written(downsampling.cut(arrays, axis, wanted.x_min, wanted.x_max, wanted.max_points))
