"""Objectives of elements: which series are stored, by objective and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func
from sqlmodel import col, select

from app.auth.caller import Caller
from app.database.interface import Database
from app.models.enums import HISTORY, SeriesSource
from app.models.tables import PipelineElement, SeriesChannel
from app.pipelines.budget import ROW, Budget
from app.pipelines.results.series import SAMPLE, of_completed

SIZE: Any = func.octet_length(SeriesChannel.samples)
"""Bytes of the samples of a channel."""


class ObjectiveSource(NamedTuple):
    """A stored series."""

    source: SeriesSource
    rows: int
    channels: list[str]
    """Names, the axis first."""


class ElementObjective(NamedTuple):
    """An objective with its series. The type is unknown in results of earlier versions."""

    name: str
    type: str | None
    sources: list[ObjectiveSource]
    element_id: str


Channel = tuple[str, SeriesSource, str, int]
"""Channel of a series: objective, source, name, and bytes of its samples."""


def channels_query(caller: Caller, element_ids: Any) -> Any:
    """Select the channels of the series of completed elements, in stored order, without the history of a fit."""
    series = SeriesChannel
    columns: Any = (col(series.element_id), col(series.objective), col(series.source), col(series.name), SIZE)
    return (
        select(*columns)
        .join(PipelineElement, col(PipelineElement.id) == col(series.element_id))
        .where(of_completed(caller, element_ids), col(series.objective) != HISTORY)
        .order_by(col(series.element_id), col(series.series_number), col(series.position))
    )


async def read_channels(
    database: Database, caller: Caller, element_ids: Sequence[str], *, budget: Budget
) -> list[list[Channel]]:
    """Load the channels of the series of each of the elements. Raises AnswerTooLarge."""
    found: dict[str, list[Channel]] = {}
    async with database.read() as session:
        rows = (await session.exec(channels_query(caller, element_ids).limit(budget.rows(ROW) + 1))).all()
    budget.take_work(ROW * len(rows))
    for element_id, *channel in rows:
        found.setdefault(element_id, []).append((channel[0], channel[1], channel[2], channel[3]))
    return [found.get(id, []) for id in element_ids]


def objectives(element_id: str, channels: Iterable[Channel], types: Mapping[str, str]) -> list[ElementObjective]:
    """Group the channels of one element by objective and source."""
    found: dict[str, ElementObjective] = {}
    for objective, source, name, size in channels:
        if objective not in found:
            found[objective] = ElementObjective(objective, types.get(objective), [], element_id)
        sources = found[objective].sources
        if not sources or sources[-1].source is not source:
            sources.append(ObjectiveSource(source, size // SAMPLE, []))
        sources[-1].channels.append(name)
    return list(found.values())
