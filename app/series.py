"""The series of results: reading what is asked for of one, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, case
from sqlmodel import col, select

from app.callers import Caller
from app.database import Database
from app.errors import WrongArguments
from app.models import PipelineElement, PipelineElementStatus, SeriesChannel, SeriesSource
from app.plots import Panel, panels
from app.reading import owned_elements

MOST_POINTS = 100_000
"""Most rows that a thinned series can be asked to have."""
NAMED = 10
"""Most wrong names that an error repeats."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for of one series.

    `columns` are the channels beside the axis, all when None. `x_column` is the axis: the first channel when None.
    `x_min` and `x_max` bound it, both inclusive, in its own unit; a row without a value there is out of bounds.
    `max_points` is the most rows; all when None.
    """

    objective: str
    source: SeriesSource = SeriesSource.OPTIMAL
    columns: frozenset[str] | None = None
    x_column: str | None = None
    max_points: int | None = None
    x_min: float | None = None
    x_max: float | None = None

    def check(self) -> None:
        """WrongArguments with all that no series can meet."""
        if faults := dict(self._faults()):
            raise WrongArguments(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        if self.max_points is not None and not 2 <= self.max_points <= MOST_POINTS:
            yield "max_points", f"A series can be thinned to 2 to {MOST_POINTS:,} points, not {self.max_points:,}."
        if self.x_min is not None and self.x_max is not None and self.x_min > self.x_max:
            yield "x_max", f"The window ends, at {self.x_max:g}, before it begins, at {self.x_min:g}."

    @property
    def needed(self) -> ColumnElement[bool] | None:
        """The channels whose samples are needed; None for all."""
        if self.columns is None:
            return None
        axis = col(SeriesChannel.position) == 0 if self.x_column is None else col(SeriesChannel.name) == self.x_column
        return axis | col(SeriesChannel.name).in_(sorted(self.columns))


async def read(database: Database, caller: Caller, element_id: str, wanted: Wanted) -> bytes | None:
    """A series as JSON, `{channel: [number or null, …]}` with channels as they are stored and of equal length. None
    where there is no such element, objective or source, or the element is not COMPLETED. WrongArguments."""
    wanted.check()
    found = await _samples(database, caller, element_id, wanted)
    if not found:
        return None
    axis = next(iter(found)) if wanted.x_column is None else wanted.x_column
    asked = {"columns": wanted.columns or frozenset(), "x_column": frozenset([axis])}
    if faults := {name: _none_of(names - found.keys(), found) for name, names in asked.items() if names - found.keys()}:
        raise WrongArguments(faults)
    return await asyncio.to_thread(_answer, _given(found), axis, wanted)


async def plot(database: Database, caller: Caller, element_id: str, wanted: Wanted, index: int) -> bytes | None:
    """The points of a panel of `app.plots` as JSON, each of its traces windowed and thinned by itself, to
    `wanted.max_points`. None where there is none. WrongArguments."""
    wanted.check()
    names = (await channels(database, caller, element_id)).get(wanted.objective, {}).get(wanted.source, [])
    for panel in panels(names)[index : index + 1]:
        needed = replace(wanted, columns=panel.channels, x_column=panel.traces[0].x)
        if found := _given(await _samples(database, caller, element_id, needed)):
            return await asyncio.to_thread(_plot, found, panel, wanted)
    return None


async def _samples(database: Database, caller: Caller, element_id: str, wanted: Wanted) -> dict[str, bytes | None]:
    """All channels of a series by name, as they are stored; None for the samples that are not needed."""
    needed = wanted.needed
    channel = col(SeriesChannel.samples) if needed is None else case((needed, col(SeriesChannel.samples)))
    query = (
        select(SeriesChannel.name, channel)
        .join(PipelineElement, col(PipelineElement.id) == col(SeriesChannel.element_id))
        .where(
            _there(caller, element_id),
            col(SeriesChannel.objective) == wanted.objective,
            col(SeriesChannel.source) == wanted.source,
        )
    )
    async with database.read() as session:
        found = await session.exec(query.order_by(col(SeriesChannel.position)))
        return dict(found.all())


async def channels(database: Database, caller: Caller, element_id: str) -> dict[str, dict[SeriesSource, list[str]]]:
    """The names of what is there: channels, the axis first, by source, by objective."""
    query = (
        select(col(SeriesChannel.objective), col(SeriesChannel.source), col(SeriesChannel.name))
        .join(PipelineElement, col(PipelineElement.id) == col(SeriesChannel.element_id))
        .where(_there(caller, element_id))
        .order_by(col(SeriesChannel.series_number), col(SeriesChannel.position))
    )
    found: dict[str, dict[SeriesSource, list[str]]] = {}
    async with database.read() as session:
        for (objective, source), rows in groupby(await session.exec(query), lambda row: (row[0], row[1])):
            found.setdefault(objective, {})[source] = [name for _, _, name in rows]
    return found


def _given(found: dict[str, bytes | None]) -> dict[str, bytes]:
    return {name: channel for name, channel in found.items() if channel is not None}


def _there(caller: Caller, element_id: str) -> ColumnElement[bool]:
    completed = col(PipelineElement.status) == PipelineElementStatus.COMPLETED
    return owned_elements(caller) & completed & (col(PipelineElement.id) == element_id)


def _none_of(unknown: frozenset[str], found: Iterable[str]) -> str:
    named = ", ".join(f"{name!r:.80}" for name in sorted(unknown)[:NAMED])
    return f"The series has no channel {named}. It has {', '.join(map(repr, found))}."


def _answer(channels: dict[str, bytes], axis: str, wanted: Wanted) -> bytes:
    from app import thinning  # here, because it brings numpy, which a server that is asked for no series does not need

    arrays = thinning.arrays(channels)
    return thinning.written(thinning.cut(arrays, axis, wanted.x_min, wanted.x_max, wanted.max_points))


def _plot(channels: dict[str, bytes], panel: Panel, wanted: Wanted) -> bytes:
    from app import thinning

    return thinning.plot(thinning.arrays(channels), panel, wanted.x_min, wanted.x_max, wanted.max_points)
