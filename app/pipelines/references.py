"""References of configurations to measurements: texts `db:ID`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import delete, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.errors import Path
from app.models.measurements import Measurement, PipelineMeasurement
from app.pipelines.access import visible

REFERENCE = re.compile(r"db:([A-Za-z0-9_-]{1,64})")
MARK = '"db:'
"""Start of a reference in JSON text: a configuration without it is not parsed."""


def find_references(config: str) -> Iterator[tuple[str, Path]]:
    """Yield the measurement id and the place of each reference in a configuration, which is JSON text."""
    if MARK in config:
        yield from _references(orjson.loads(config), ())


def _references(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(value, str):
        if matched := REFERENCE.fullmatch(value):
            yield matched[1], path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


def referenced(configs: Iterable[str]) -> list[str]:
    """Return the ids of all referenced measurements, each once."""
    return list(dict.fromkeys(id for config in configs for id, _ in find_references(config)))


async def link(session: AsyncSession, caller: Caller, pipeline_id: str, ids: list[str]) -> None:
    """Replace the links of a pipeline by those to measurements that the caller may see. A run reads only linked
    measurements, so that it reads nothing that the author of its configurations may not see. The rows of the
    measurements are locked until the transaction ends: a link to a deleted one cannot remain."""
    await session.exec(delete(PipelineMeasurement).where(col(PipelineMeasurement.pipeline_id) == pipeline_id))
    if not ids:
        return
    query = select(Measurement.id).where(visible(caller, Measurement), col(Measurement.id).in_(ids))
    found = await session.exec(query.order_by(col(Measurement.id)).with_for_update(read=True))
    if rows := [{"pipeline_id": pipeline_id, "measurement_id": id} for id in found]:
        await session.exec(insert(PipelineMeasurement), params=rows)
