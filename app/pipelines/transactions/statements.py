"""Statements of the transactions, built once from the tables."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import SQLModel

from app.database.writes.statements import IDS, PAIRS
from app.models import measurements  # noqa: F401  defines its tables
from app.models.columns import Binary, Contains, Instant, instant_text
from app.models.enums import JobStatus, PipelineElementStatus, PipelineStatus
from app.models.sql import Sql
from app.models.tables import QUEUED
from app.pipelines.elements import MARK

_tables = SQLModel.metadata.tables
PIPELINE, ELEMENT, SERIES = _tables["pipeline"], _tables["pipeline_element"], _tables["series_channel"]
KEY, LINK, MEASUREMENT = (_tables[name] for name in ("idempotency_key", "pipeline_measurement", "measurement"))
LABEL = _tables["pipeline_label"]
_ID = bindparam("pipeline", type_=Binary)
_ORGANIZATION = bindparam("organization", type_=Binary)
_AT = bindparam("at", type_=Instant)
_OF_PIPELINE = ELEMENT.c.pipeline_id == _ID
_BY_ORGANIZATION = sa.select(PIPELINE).where(PIPELINE.c.organization_id == _ORGANIZATION)

NO_PROJECT = ""
"""Project of idempotency keys whose project is unknown; no pipeline has it."""
LOCK = _BY_ORGANIZATION.where(PIPELINE.c.id == _ID).with_for_update()
LOCK_OF_ANY = sa.select(PIPELINE).where(PIPELINE.c.id == _ID).with_for_update()
"""Lock a pipeline of any organization, for the server itself."""


def _theirs(table: sa.Table) -> Any:
    """Return the condition for rows of the organization that are found by their ids: SQLite must not take an index of
    the organization instead, and read all of its rows."""
    return sa.func.coalesce(table.c.organization_id, "") == _ORGANIZATION


def find_many(sql: Sql) -> Any:
    """Select any number of pipelines of an organization by their ids."""
    return sa.select(PIPELINE).where(_theirs(PIPELINE), PIPELINE.c.id.in_(sa.select(sql.ids(IDS))))


def lock_many(sql: Sql) -> Any:
    """Lock any number of pipelines, in the order of their ids, so that no two transactions wait for each other."""
    return find_many(sql).order_by(PIPELINE.c.id).with_for_update()


INSERT_PIPELINE, INSERT_ELEMENT, INSERT_KEY, INSERT_LINK, INSERT_LABEL = map(
    sa.insert, (PIPELINE, ELEMENT, KEY, LINK, LABEL)
)
FIND = _BY_ORGANIZATION.where(PIPELINE.c.id == _ID)
_OF_PROJECT = sa.or_(KEY.c.project_id == bindparam("project"), KEY.c.project_id == NO_PROJECT)
FIND_KEYS = (
    sa.select(KEY.c.project_id, KEY.c.fingerprint, KEY.c.pipeline_id)
    .where(KEY.c.organization_id == _ORGANIZATION, KEY.c.key == bindparam("its_key"), _OF_PROJECT)
    .order_by(KEY.c.project_id)
)
"""Uses of an idempotency key in a project, after the one without a known project."""
DELETE_ELEMENTS = sa.delete(ELEMENT).where(_OF_PIPELINE)
DELETE_LABELS = sa.delete(LABEL).where(LABEL.c.pipeline_id == _ID)
DELETE_LINKS = sa.delete(LINK).where(LINK.c.pipeline_id == _ID)


def deleted_elements(sql: Sql) -> Any:
    """Select the elements of any number of pipelines: ids of the pipelines, types, and bytes of the configurations."""
    found = sa.select(ELEMENT.c.pipeline_id, ELEMENT.c.element_type, sql.stored_octets(ELEMENT.c.job_config))
    return found.where(ELEMENT.c.pipeline_id.in_(sa.select(sql.ids(IDS))))


def delete_pipelines(sql: Sql) -> Any:
    """Delete any number of pipelines."""
    return sa.delete(PIPELINE).where(PIPELINE.c.id.in_(sa.select(sql.ids(IDS))))


@lru_cache
def update_pipeline(columns: frozenset[str]) -> Any:
    """Return the statement that sets columns of a pipeline; the value of `name` is the parameter `new_name`."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in sorted(columns)}
    return sa.update(PIPELINE).where(PIPELINE.c.id == _ID).values(values)


def lock_measurements(sql: Sql) -> Any:
    """Lock measurements against deletion, in the order of their ids."""
    c = MEASUREMENT.c
    found = sa.select(c.id, c.organization_id, c.project_id)
    found = found.where(_theirs(MEASUREMENT), c.id.in_(sa.select(sql.ids("ids"))))
    return found.order_by(c.id).with_for_update(read=True)


SHORT_CONFIG = 16_384
"""Maximum bytes of a configuration that a duplication reads; the database copies a longer one."""


def source(sql: Sql) -> Any:
    """Select a pipeline to copy, beside each of its elements: its project and what a copy takes over; names, types,
    short configurations, and the bytes of all configurations. A pipeline without elements has one row."""
    p, c = PIPELINE.c, ELEMENT.c
    size = sql.octets(c.job_config)
    short = sa.case((size <= SHORT_CONFIG, c.job_config))
    copied = p.organization_id, p.project_id, p.name, p.description, p.live_progress_updates, p.labels
    found = sa.select(*copied, c.name, c.element_type, short, size).outerjoin_from(PIPELINE, ELEMENT)
    return found.where(p.id == _ID, p.organization_id == _ORGANIZATION).order_by(c.element_order)


_config = sa.cast(ELEMENT.c.job_config, sa.Text)
EQUAL_ELEMENT = sa.select(ELEMENT.c.id).where(
    _OF_PIPELINE,
    ELEMENT.c.name == bindparam("its_name", type_=ELEMENT.c.name.type),
    _config == bindparam("its_config", type_=sa.Text),
)
"""The element with a name if its configuration is equal to a text, which the database compares."""


def copied_elements(sql: Sql) -> Any:
    """Select the elements of a pipeline: ids, types, bytes of the configurations, and the configurations that refer to
    measurements."""
    config = ELEMENT.c.job_config
    referring = sa.case((Contains(_config, MARK), config))
    found = sa.select(ELEMENT.c.id, ELEMENT.c.element_type, sql.octets(config), referring)
    return found.where(_OF_PIPELINE).order_by(ELEMENT.c.element_order)


_COPIED = ("organization_id", "name", "element_order", "element_type", "job_config")


def copy_elements(sql: Sql) -> Any:
    """Copy the configurations of elements without reading them; the pairs are the ids of elements and of copies."""
    pairs = sql.pairs(PAIRS)
    copies = sa.select(
        pairs.c.value,
        _ID,
        *(ELEMENT.c[name] for name in _COPIED),
        sa.literal(PipelineElementStatus.PENDING, ELEMENT.c.status.type),
        sa.literal(0),
        _AT,
        _AT,
    )
    columns = ["id", "pipeline_id", *_COPIED, "status", "attempt", "created_at", "updated_at"]
    return sa.insert(ELEMENT).from_select(columns, copies.where(ELEMENT.c.id == pairs.c.key), include_defaults=False)


ELEMENTS = sa.select(ELEMENT.c.id, ELEMENT.c.element_type).where(_OF_PIPELINE).order_by(ELEMENT.c.element_order)


def elements_of_many(sql: Sql) -> Any:
    """Select the elements of any number of pipelines, with the ids of their pipelines."""
    found = sa.select(ELEMENT.c.pipeline_id, ELEMENT.c.id, ELEMENT.c.element_type)
    return found.where(ELEMENT.c.pipeline_id.in_(sa.select(sql.ids(IDS)))).order_by(
        ELEMENT.c.pipeline_id, ELEMENT.c.element_order
    )


def start_pipelines(sql: Sql) -> Any:
    """Mark locked pipelines running; the pairs are their ids and the texts of `start_text`."""
    pairs = sql.pairs(PAIRS)
    at = sa.cast(sa.func.substr(pairs.c.value, 1, INSTANT), PIPELINE.c.started_at.type)
    request_id = sa.func.nullif(sa.func.substr(pairs.c.value, INSTANT + 1), "")
    started = {"status": PipelineStatus.RUNNING, "started_at": at, "updated_at": at, "request_id": request_id}
    by: dict[str, Any] = {"started_by": bindparam("new_started_by")}
    return sa.update(PIPELINE).where(PIPELINE.c.id == pairs.c.key).values(started | by)


INSTANT = len("2026-11-23T10:00:00.000000Z")
"""Length of a time as text."""


def start_text(at: datetime, request_id: str | None) -> str:
    """Return the time of a start, and the request that caused it, as one text."""
    return f"{instant_text(at)}{request_id or ''}"


def give_jobs(sql: Sql) -> Any:
    """Give jobs to the elements of pipelines that were started; the pairs are the ids of elements and of jobs. A reused
    element has a job already."""
    pairs = sql.pairs(PAIRS)
    found = (ELEMENT.c.id == pairs.c.key, PIPELINE.c.id == ELEMENT.c.pipeline_id, ~ELEMENT.c.is_reused)
    jobs = {"job_id": pairs.c.value, "job_status": JobStatus.PENDING, "updated_at": PIPELINE.c.updated_at}
    return sa.update(ELEMENT).where(*found).values(jobs)


_UNFINISHED = (PipelineElementStatus.PENDING, PipelineElementStatus.RUNNING)
_HAS_JOB = ELEMENT.c.job_id.is_not(None)
_CANCELED = sa.literal(JobStatus.CANCELED, ELEMENT.c.job_status.type)
END_ELEMENTS = (
    sa.update(ELEMENT)
    .where(_OF_PIPELINE, sa.or_(*(ELEMENT.c.status == status for status in _UNFINISHED)))
    .values(
        status=bindparam("rest"),
        job_status=sa.case((_HAS_JOB, _CANCELED), else_=ELEMENT.c.job_status),
        finished_at=sa.case((_HAS_JOB, _AT), else_=ELEMENT.c.finished_at),
        updated_at=_AT,
    )
)
"""End the elements that did not, and their jobs."""
DELETE_SERIES = sa.delete(SERIES).where(
    SERIES.c.element_id.in_(
        sa.select(ELEMENT.c.id).where(_OF_PIPELINE, ELEMENT.c.status != PipelineElementStatus.COMPLETED)
    )
)
"""Delete the series of elements that did not complete."""


def _queue(*whose: Any) -> Any:
    """Count the queued pipelines, up to `most`, by the index of the queue, whose order it names: 10,000 entries take
    0.4 ms."""
    queue = sa.select(PIPELINE.c.id).where(QUEUED, PIPELINE.c.organization_id == _ORGANIZATION, *whose)
    queue = queue.order_by(PIPELINE.c.started_at, PIPELINE.c.id).limit(bindparam("most", type_=sa.Integer))
    return sa.select(sa.func.count()).select_from(queue.subquery())


QUEUED_OF_ORGANIZATION = _queue()
QUEUED_OF_KEY = _queue(PIPELINE.c.started_by == bindparam("its_key"))
