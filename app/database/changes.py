"""Change events.

A transaction records its changes. On SQLite, which one process writes, the changes are published after the commit. On
PostgreSQL they are part of the transaction, as notifications that every process listens to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.models.enums import ElementType, JobErrorCode, PipelineStatus
from app.models.measurements import Measurement
from app.models.sql import sql_of
from app.models.tables import Pipeline, PipelineElement

log = logging.getLogger("voltgraph")

CHANNEL = "voltgraph_changes"
NOTED = "voltgraph.changes"
LONGEST_PAYLOAD = 7999
"""Maximum bytes of a notification. PostgreSQL rejects a longer one and rolls the transaction back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Snapshot of the columns that filters use."""

    project_id: str
    created_by_email: str | None
    created_at: datetime
    updated_at: datetime
    folded_name: str
    status: PipelineStatus
    error_code: JobErrorCode | None
    user_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration: float | None
    labels: str
    """Labels as they are stored."""
    element_types: frozenset[ElementType] | None = None
    """Element types; None if unknown."""


@dataclass(frozen=True, slots=True)
class Change:
    """Creation, change or deletion of a pipeline, or of a measurement, without snapshots."""

    organization_id: str
    id: str
    before: Snapshot | None
    """State before the change; None if the pipeline was created."""
    after: Snapshot | None
    """State after the change; None if the pipeline was deleted."""
    is_whole: bool = True
    """False if the change may affect more than the snapshots hold."""
    project_ids: tuple[str | None, ...] | None = None
    """Projects of the pipeline before and after the change, if the snapshots were left out: None where it did not
    exist, or where the caller may not see it. None without such a list."""
    kind: Literal["pipeline", "measurement"] = "pipeline"

    def visible_to(self, caller: Caller) -> Change | None:
        """Return the part of the change that a caller may see; None if nothing. A state in a project that the caller
        may not use is removed, so that no filter evaluates that state."""
        if caller.projects is None:
            return self
        if self.before is None and self.after is None:
            projects = tuple(
                each if each is not None and caller.may_use(each) else None for each in self.project_ids or ()
            )
            return replace(self, project_ids=projects) if any(each is not None for each in projects) else None
        before, after = (
            state if state is not None and caller.may_use(state.project_id) else None
            for state in (self.before, self.after)
        )
        return None if before is None and after is None else replace(self, before=before, after=after)

    def without_snapshots(self) -> Change:
        """Return a copy without snapshots, which holds only the projects of the pipeline."""
        projects = tuple(None if state is None else state.project_id for state in (self.before, self.after))
        return Change(self.organization_id, self.id, None, None, is_whole=False, project_ids=projects)


_changes = TypeAdapter(Change)
COLUMNS = [field.name for field in fields(Snapshot) if field.name != "element_types"]
"""Columns of a snapshot."""
TYPES = (
    sa.select(PipelineElement.__table__.c.element_type)  # type: ignore[attr-defined]
    .where(PipelineElement.__table__.c.pipeline_id == sa.bindparam("pipeline"))  # type: ignore[attr-defined]
    .distinct()
)


_columns_of_pipeline, _columns_of_other = itemgetter(*COLUMNS), attrgetter(*COLUMNS)
_snapshot: Callable[..., Snapshot] = Snapshot


def take_snapshot(
    pipeline: Pipeline | Row[Any] | Snapshot, element_types: frozenset[ElementType] | None = None
) -> Snapshot:
    """Take a snapshot of a pipeline; call it before changing the row. That of a snapshot has other element types."""
    columns = _columns_of_pipeline(vars(pipeline)) if type(pipeline) is Pipeline else _columns_of_other(pipeline)
    return _snapshot(*columns, element_types)


def read_types(pipeline_id: str) -> Generator[Any, Any, frozenset[ElementType]]:
    """Read the element types of a pipeline, as steps of a transaction."""
    rows = yield TYPES, {"pipeline": pipeline_id}
    return frozenset(row[0] for row in rows)


def record_change(pipeline: Pipeline, before: Snapshot) -> Generator[Any, Any, None]:
    """Record that this transaction changed a pipeline, as steps. `updated_at` must have moved forward: subscribers
    order states by it."""
    after = take_snapshot(pipeline, (yield from read_types(pipeline.id)))
    if before.element_types is None:
        before = take_snapshot(before, after.element_types)
    yield Change(pipeline.organization_id, pipeline.id, before, after)


def creation_event(pipeline: Pipeline, element_types: Iterable[ElementType]) -> Change:
    """Return the change event of a created pipeline."""
    return Change(pipeline.organization_id, pipeline.id, None, take_snapshot(pipeline, frozenset(element_types)))


async def record_measurement(session: AsyncSession, measurement: Measurement) -> None:
    """Record that this transaction changed or deleted a measurement."""
    project = (measurement.project_id,)
    change = Change(measurement.organization_id, measurement.id, None, None, False, project, "measurement")
    await record(session, change)


async def record(session: AsyncSession, change: Change) -> None:
    """Record a change of this transaction."""
    notify = sql_of(session.get_bind().dialect).notify
    if notify is None:
        session.info.setdefault(NOTED, []).append(change)
    else:  # driver SQL: compiling the statement takes more than twice as long
        connection = await session.connection()
        await connection.exec_driver_sql(notify, (CHANNEL, encode_change(change)))


def recorded_changes(session: AsyncSession) -> list[Change]:
    """Return the changes that a transaction on SQLite recorded, to publish after its commit."""
    changes: list[Change] = session.info.get(NOTED, [])
    return changes


def encode_change(change: Change) -> str:
    """Encode a change as the payload of a notification. A payload that is too long names only the projects."""
    payload = _changes.dump_json(change)
    if len(payload) > LONGEST_PAYLOAD:
        payload = _changes.dump_json(change.without_snapshots())
    return payload.decode()


def decode_change(payload: str) -> Change | None:
    """Decode a notification; None if another program sent it."""
    try:
        return _changes.validate_json(payload)
    except ValidationError:
        log.warning("a notification of another program: %.200s", payload)
        return None
