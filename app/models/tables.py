"""The tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from app.models.columns import Binary, Id, Instant, JsonText, Name
from app.models.enums import (
    DescribedEnum,
    ElementType,
    JobErrorCode,
    JobLogStream,
    JobStatus,
    PipelineElementStatus,
    PipelineStatus,
    SeriesSource,
)

AT_WORK = text("status = 'RUNNING'")
"""Condition of running pipelines. It is text, because SQLite uses a partial index only for the exact words of its
condition."""
QUEUED = text("status = 'RUNNING' AND worker_id IS NULL")
"""Condition of started pipelines that wait for a worker."""
HELD = text("status = 'RUNNING' AND worker_id IS NOT NULL")
"""Condition of pipelines that a worker runs."""
ENDED = text("finished_at IS NOT NULL")
"""Condition of terminal pipelines."""
HAS_ERROR, HAS_EMAIL, HAS_USER = (
    text(f"{column} IS NOT NULL") for column in ("error_code", "created_by_email", "user_id")
)
"""Conditions of pipelines with an error code, an email and a user; databases infer them from comparisons."""
HAS_START, HAS_DURATION = (text(f"{column} IS NOT NULL") for column in ("started_at", "duration"))
"""Conditions of pipelines that were started, and that have ended after it, beside ENDED."""
HAS_JOB = text("job_id IS NOT NULL")
"""Condition of elements with a job; both databases infer it from `job_id = ?`."""


def stored(words: type[DescribedEnum]) -> Any:
    """Return the column type of an enum. Typed as Any, because SQLModel's types accept classes only."""
    return Name(words)


def _where(name: str, condition: Any, *columns: str) -> Index:
    """Return a partial index."""
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


class Pipeline(SQLModel, table=True):
    """A pipeline: an ordered list of elements, owned by an organization."""

    __table_args__ = (
        # One index per sort order of pages; the tenant comes first in all.
        Index("pipeline_by_creation", "organization_id", "created_at", "id"),
        Index("pipeline_by_update", "organization_id", "updated_at", "id"),
        Index("pipeline_by_name", "organization_id", "name", "id"),
        Index("pipeline_by_status", "organization_id", "status", "created_at", "id"),
        Index("pipeline_by_project", "organization_id", "project_id", "created_at", "id"),
        # The newest change of each project.
        Index("pipeline_by_project_update", "organization_id", "project_id", "updated_at"),
        Index("pipeline_by_start", "organization_id", "started_at", "id"),
        Index("pipeline_by_finish", "organization_id", "finished_at", "id"),
        Index("pipeline_by_duration", "organization_id", "duration", "id"),
        # For filters that alone match few of many rows, and for counts of a project.
        Index("pipeline_by_project_status", "organization_id", "project_id", "status"),
        _where("pipeline_by_error", HAS_ERROR, "organization_id", "error_code", "created_at", "id"),
        _where("pipeline_by_error_status", HAS_ERROR, "organization_id", "error_code", "status", "project_id"),
        _where("pipeline_by_email", HAS_EMAIL, "organization_id", "created_by_email", "created_at", "id"),
        _where("pipeline_by_user", HAS_USER, "organization_id", "user_id", "created_at", "id"),
        # For pages of some statuses in these orders: no pipeline may have both the status and a value.
        _where("pipeline_by_status_start", HAS_START, "organization_id", "status", "started_at", "id"),
        _where("pipeline_by_status_finish", ENDED, "organization_id", "status", "finished_at", "id"),
        _where("pipeline_by_status_duration", HAS_DURATION, "organization_id", "status", "duration", "id"),
        # Partial index on running pipelines, for workers, which serve all tenants.
        Index("pipeline_at_work", "started_at", sqlite_where=AT_WORK, postgresql_where=AT_WORK),
        # The queue of each organization, in its order, and the pipelines of each worker.
        Index(
            "pipeline_queued",
            *("organization_id", "started_at", "id", "started_by", "worker_id"),  # the last only to cover QUEUED
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index(
            "pipeline_held",
            *("worker_id", "organization_id", "started_by"),
            sqlite_where=HELD,
            postgresql_where=HELD,
        ),
        # For retention.
        Index("pipeline_by_end", "finished_at", sqlite_where=ENDED, postgresql_where=ENDED),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    organization_id: str = Field(sa_type=Binary)
    project_id: str = Field(sa_type=Binary)
    user_id: str | None = Field(default=None, sa_type=Binary)
    created_by_email: str | None = Field(default=None, sa_type=Binary)
    name: str = Field(sa_type=Binary)
    folded_name: str = Field(sa_type=Binary)
    """`name.casefold()`, for case-insensitive search that is alike on both databases."""
    description: str | None = Field(default=None, sa_type=Binary)
    live_progress_updates: bool | None = None
    status: PipelineStatus = Field(default=PipelineStatus.PENDING, sa_type=stored(PipelineStatus))
    error: str | None = Field(default=None, sa_type=Text)
    error_code: JobErrorCode | None = Field(default=None, sa_type=stored(JobErrorCode))
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    duration: float | None = None
    """Seconds from its start to its end; null until it has ended, and if it never started."""
    labels: str = Field(default="[]", sa_type=JsonText, sa_column_kwargs={"server_default": "[]"})
    """List of texts. PipelineLabel holds them for filters."""
    worker_id: str | None = Field(default=None, sa_type=Binary)
    """The worker that runs the pipeline, or ran it last; null while it is queued."""
    attempt: int = 0
    """Fencing token: the number of times a worker took the pipeline. A write of an earlier attempt is refused."""
    request_id: str | None = Field(default=None, sa_type=Binary)
    """Id of the request that started the pipeline, for the worker's log."""
    started_by: str | None = Field(default=None, sa_type=Binary)
    """Prefix of the API key that started the run; null without one. Limits of keys count by it."""
    rerun_of: str | None = Field(default=None, sa_type=Id)
    """The pipeline whose results this one took over, which may be deleted; null if it is no rerun."""

    @property
    def is_terminal(self) -> bool:
        return self.status.is_terminal


class PipelineLabel(SQLModel, table=True):
    """One label of a pipeline, for filters."""

    __tablename__ = "pipeline_label"
    __table_args__ = (Index("pipeline_label_by_label", "folded_label", "pipeline_id"),)

    pipeline_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("pipeline.id", ondelete="CASCADE")]
    )
    folded_label: str = Field(sa_type=Binary, primary_key=True)


class PipelineElement(SQLModel, table=True):
    """One element of a pipeline. The JSON columns can be large: they come last, and are read only if selected."""

    __tablename__ = "pipeline_element"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "element_order"),
        UniqueConstraint("pipeline_id", "name"),
        # For filters of elements; the pipelines are read from the rows.
        Index("pipeline_element_by_status", "organization_id", "status", "element_type", "name"),
        Index("pipeline_element_by_job", "job_id", unique=True, sqlite_where=HAS_JOB, postgresql_where=HAS_JOB),
    )

    id: str = Field(sa_type=Id, primary_key=True)
    pipeline_id: str = Field(sa_type=Binary, sa_column_args=[ForeignKey("pipeline.id", ondelete="CASCADE")])
    organization_id: str = Field(sa_type=Binary)
    name: str = Field(sa_type=Binary)
    element_order: int
    element_type: ElementType = Field(sa_type=stored(ElementType))
    status: PipelineElementStatus = Field(default=PipelineElementStatus.PENDING, sa_type=stored(PipelineElementStatus))
    job_id: str | None = Field(default=None, sa_type=Binary)
    job_status: JobStatus | None = Field(default=None, sa_type=stored(JobStatus))
    error: str | None = Field(default=None, sa_type=Text)
    error_code: JobErrorCode | None = Field(default=None, sa_type=stored(JobErrorCode))
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    attempt: int = 0
    """Number of times the job was started; 0 if its result was taken over."""
    is_reused: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether its result was taken over from the original of a rerun."""
    error_detail: str | None = Field(default=None, sa_type=JsonText)
    result: str | None = Field(default=None, sa_type=JsonText)
    job_config: str = Field(sa_type=JsonText)


class Checkpoint(SQLModel, table=True):
    """Progress of a job at one time."""

    element_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("pipeline_element.id", ondelete="CASCADE")]
    )
    number: int = Field(primary_key=True)
    """Number from 1, over all attempts."""
    at: datetime = Field(sa_type=Instant)
    iteration: int | None = None
    cost: float | None = None
    best_cost: float | None = None
    parameters: str = Field(sa_type=JsonText)


class JobLogLine(SQLModel, table=True):
    """A line of the log of a job."""

    __tablename__ = "job_log"

    element_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("pipeline_element.id", ondelete="CASCADE")]
    )
    number: int = Field(primary_key=True)
    """Number from 1, without gaps, over all attempts."""
    attempt: int
    at: datetime = Field(sa_type=Instant)
    stream: JobLogStream = Field(sa_type=stored(JobLogStream))
    text: str = Field(sa_type=Text)


class SeriesChannel(SQLModel, table=True):
    """One channel of the series of an objective. The series of an element are valid once it is COMPLETED: they are
    written one by one while the job ends, and deleted if it fails."""

    __tablename__ = "series_channel"

    element_id: str = Field(
        sa_type=Binary, primary_key=True, sa_column_args=[ForeignKey("pipeline_element.id", ondelete="CASCADE")]
    )
    objective: str = Field(sa_type=Binary, primary_key=True)
    source: SeriesSource = Field(sa_type=stored(SeriesSource), primary_key=True)
    position: int = Field(primary_key=True)
    """Position from 0; the axis has 0."""
    series_number: int
    """Position of the series among those of its element."""
    name: str = Field(sa_type=Binary)
    samples: bytes = Field(sa_type=LargeBinary)
    """Samples as float64, little-endian, one per row; NaN marks a missing value."""


class Worker(SQLModel, table=True):
    """A worker process and its last heartbeat."""

    id: str = Field(sa_type=Binary, primary_key=True)
    heartbeat_at: datetime = Field(sa_type=Instant)


class Pulse(SQLModel, table=True):
    """One row that readiness probes write."""

    id: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)


class IdempotencyKey(SQLModel, table=True):
    """Idempotency key of a create, unique within one project. It outlives its pipeline, so that a late repeat cannot
    create the pipeline again."""

    __tablename__ = "idempotency_key"

    organization_id: str = Field(sa_type=Binary, primary_key=True)
    project_id: str = Field(sa_type=Binary, primary_key=True)
    """Project; empty if the pipeline was deleted before keys belonged to projects."""
    key: str = Field(sa_type=Binary, primary_key=True)
    fingerprint: str
    """SHA-256 of the request, in hex."""
    pipeline_id: str = Field(sa_type=Binary)
    created_at: datetime = Field(sa_type=Instant)
