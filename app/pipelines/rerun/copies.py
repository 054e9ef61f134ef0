"""Copies of elements with their results, by INSERT … SELECT: the values never leave the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, literal, null
from sqlmodel import SQLModel

from app.database.writes.mutations import Steps
from app.models.columns import Contains
from app.models.enums import JobStatus, PipelineElementStatus
from app.models.sql import Sql
from app.models.tables import Pipeline
from app.pipelines.elements import MARK

ELEMENT, SERIES, CHECKPOINT = (
    SQLModel.metadata.tables[name] for name in ("pipeline_element", "series_channel", "checkpoint")
)
CHANNEL = ("element_id", "objective", "source", "position")
"""Key of a channel."""
_config_text = sa.cast(ELEMENT.c.job_config, sa.Text)
_OF_PIPELINE = ELEMENT.c.pipeline_id == bindparam("original", type_=ELEMENT.c.pipeline_id.type)
HEADS = (
    sa.select(ELEMENT.c.id, ELEMENT.c.name, ELEMENT.c.element_order, ELEMENT.c.element_type, ELEMENT.c.status)
    .where(_OF_PIPELINE)
    .order_by(ELEMENT.c.element_order)
)
"""Elements of a pipeline without their large columns: the fields of `Head`."""
REFERRING = sa.select(ELEMENT.c.name, ELEMENT.c.job_config).where(_OF_PIPELINE, Contains(_config_text, MARK))
"""Configurations that refer to measurements, by name."""
OUTCOME = ("error", "error_code", "error_detail", "started_at", "finished_at", "result")
"""Columns of an element that its run writes."""


class Copy(NamedTuple):
    """An element to copy: the ids of the original, of the copy and of its job."""

    original: str
    id: str
    job_id: str | None
    config: str | None = None
    """New configuration; None keeps that of the original."""


def _bound(name: str, column: str) -> Any:
    return bindparam(name, type_=ELEMENT.c[column].type)


NEW = {
    "id": _bound("new_id", "id"),
    "pipeline_id": _bound("new_pipeline", "pipeline_id"),
    "organization_id": _bound("new_organization", "organization_id"),
    "job_id": _bound("new_job", "job_id"),
    "created_at": _bound("at", "created_at"),
    "updated_at": _bound("at", "created_at"),
    "attempt": literal(0),
}
"""Values that every copy has of its own, as parameters."""
WAITS = {
    "status": literal(PipelineElementStatus.PENDING, ELEMENT.c.status.type),
    "job_status": _bound("new_job_status", "job_status"),
    "is_reused": sa.false(),
    **{name: sa.cast(null(), ELEMENT.c[name].type) for name in OUTCOME},
}
REUSED = {
    "status": literal(PipelineElementStatus.COMPLETED, ELEMENT.c.status.type),
    "job_status": literal(JobStatus.COMPLETED, ELEMENT.c.job_status.type),
    "is_reused": sa.true(),
}


def _copy(values: Mapping[str, Any]) -> sa.Insert:
    """Return the statement that copies an element, with some values in place of the original's."""
    columns = [values.get(column.name, column) for column in ELEMENT.columns]
    query = sa.select(*columns).where(ELEMENT.c.id == bindparam("original", type_=ELEMENT.c.id.type))
    return insert(ELEMENT).from_select([column.name for column in ELEMENT.columns], query)


COPY_REUSED = _copy(NEW | REUSED)
COPY_WAITING = _copy(NEW | WAITS)
COPY_CHANGED = _copy(NEW | WAITS | {"job_config": _bound("new_config", "job_config")})


def _rows_of(table: sa.Table) -> sa.Insert:
    """Return the statement that copies the rows about the reused elements of a pipeline."""
    old, new = ELEMENT.alias("old"), ELEMENT.alias("new")
    same = (new.c.element_order == old.c.element_order) & new.c.is_reused
    names = [column.name for column in table.columns if column.name != "element_id"]
    query = (
        sa.select(new.c.id, *(table.c[name] for name in names))
        .select_from(new)
        .join(old, same & (old.c.pipeline_id == bindparam("original", type_=ELEMENT.c.pipeline_id.type)))
        .join(table, table.c.element_id == old.c.id)
        .where(new.c.pipeline_id == bindparam("new_pipeline", type_=ELEMENT.c.pipeline_id.type))
    )
    return insert(table).from_select(["element_id", *names], query)


COPY_SERIES, COPY_CHECKPOINTS = _rows_of(SERIES), _rows_of(CHECKPOINT)


def size_of_copy(sql: Sql) -> Any:
    """Select the bytes that a rerun copies: the configurations of all elements, and what those up to an order
    produced."""
    reused = _OF_PIPELINE & (ELEMENT.c.element_order <= bindparam("last", type_=sa.Integer))
    produced = sa.select(ELEMENT.c.id).where(reused)
    sums = (
        sa.select(sa.func.sum(sql.octets(ELEMENT.c.job_config))).where(_OF_PIPELINE),
        sa.select(sa.func.sum(sql.octets(ELEMENT.c.result))).where(reused),
        sa.select(sa.func.sum(sql.octets(SERIES.c.samples))).where(SERIES.c.element_id.in_(produced)),
    )
    return sa.select(*(sa.func.coalesce(each.scalar_subquery(), 0) for each in sums))


def channels(sql: Sql) -> Any:
    """Select the keys and the bytes of the series of a pipeline."""
    keys = (SERIES.c.element_id, SERIES.c.objective, SERIES.c.source, SERIES.c.position)
    theirs = sa.select(ELEMENT.c.id).where(_OF_PIPELINE)
    return sa.select(*keys, sql.octets(SERIES.c.samples)).where(SERIES.c.element_id.in_(theirs)).order_by(*keys)


_KEPT = [column.name for column in SERIES.columns if column.name != "element_id"]
COPY_CHANNEL = insert(SERIES).from_select(
    ["element_id", *_KEPT],
    sa.select(_bound("new_id", "id"), *(SERIES.c[name] for name in _KEPT)).where(
        *(SERIES.c[name] == bindparam(f"its_{name}", type_=SERIES.c[name].type) for name in CHANNEL)
    ),
)
"""Copy one channel of a series to another element."""
REVEAL = (
    sa.update(ELEMENT)
    .where(ELEMENT.c.pipeline_id == _bound("new_pipeline", "pipeline_id"))
    .values(organization_id=_bound("new_organization", "organization_id"))
)
"""Give the elements of a copy to their organization."""


def copy_elements(
    original: str,
    pipeline: Pipeline,
    reused: Sequence[Copy],
    others: Sequence[Copy],
    organization: str,
    *,
    has_series: bool,
) -> Steps[None]:
    """Copy the elements of a pipeline into an organization: reused ones with their results and checkpoints, and with
    `has_series` their series, others to run."""
    shared = {
        "new_pipeline": pipeline.id,
        "new_organization": organization,
        "at": pipeline.created_at,
        "new_job_status": JobStatus.PENDING if pipeline.started_at is not None else None,
    }

    def rows(copies: Iterable[Copy]) -> list[dict[str, Any]]:
        return [
            shared | {"original": it, "new_id": id, "new_job": job_id, "new_config": config}
            for it, id, job_id, config in copies
        ]

    yield COPY_REUSED, rows(reused)
    yield COPY_WAITING, rows(each for each in others if each.config is None)
    yield COPY_CHANGED, rows(each for each in others if each.config is not None)
    if reused and has_series:
        yield COPY_SERIES, {"original": original, "new_pipeline": pipeline.id}
    if reused:
        yield COPY_CHECKPOINTS, {"original": original, "new_pipeline": pipeline.id}
