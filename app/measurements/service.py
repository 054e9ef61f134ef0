"""Service of measurements: create, complete, update and delete, each in one transaction."""

from __future__ import annotations

import orjson
import uuid_utils
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import NOT_THEIRS, Caller
from app.database.audit import audit_in
from app.database.changes import record_measurement
from app.database.interface import Database
from app.errors import AlreadyExists, Problem, ProblemCode, Rejected, forbidden, not_found
from app.measurements import cells, files, uploads
from app.measurements.files import FileWriter, new_file
from app.measurements.inputs import MeasurementCreate, MeasurementUpdate, merged_fields
from app.measurements.uploads import UploadLimits, UploadRight
from app.models.columns import now
from app.models.enums import AuditAction, FileKind, MeasurementStatus, MeasurementType, PipelineStatus
from app.models.measurements import (
    CellInstance,
    Measurement,
    MeasurementTag,
    PipelineMeasurement,
)
from app.models.tables import IdempotencyKey, Pipeline
from app.pipelines.access import require_write, visible
from app.pipelines.service import next_timestamp

KEY = "measurement:"
"""Prefix of idempotency keys of measurements, which share a table with those of pipelines."""
NAMED = 3
"""Maximum number of pipelines that an error names."""
Created = tuple[Measurement, UploadRight | None]
UNFINISHED = (PipelineStatus.PENDING, PipelineStatus.RUNNING)


async def create(database: Database, caller: Caller, draft: MeasurementCreate, limits: UploadLimits) -> Created:
    """Create a measurement, with the right to upload its file unless that came inline. A repeat with the same
    idempotency key returns the first one, with another right while nothing was uploaded. Raises Rejected: NOT_FOUND
    for a cell; AlreadyExists for a name; CONFLICT; and RequestError with PAYLOAD_TOO_LARGE."""
    require_write(caller)
    if draft.project_id is not None and not caller.may_use(draft.project_id):
        raise forbidden(NOT_THEIRS, "project_id")
    if draft.size is not None and draft.size > limits.file:
        message = f"`bytes` is {draft.size:,}; a file takes at most {limits.file:,}."
        raise Rejected(Problem(ProblemCode.INVALID, message, ("bytes",)))

    async def work(session: AsyncSession) -> Created:
        project_id = await _project(session, caller, draft)
        if (first := await _first_with_key(session, caller, project_id, draft)) is not None:
            return first, _granted(session, first, limits, draft)
        await require_free_name(session, draft.cell_instance_id, draft.name)
        await uploads.require_room(session, caller.organization_id, draft.size or 0, limits)
        measurement = _new(caller, project_id, draft)
        session.add(measurement)
        await session.flush()
        session.add_all(_tags(measurement.id, draft.tags))
        if draft.idempotency_key is not None:
            session.add(_key(measurement, draft))
        await session.flush()
        await audit_in(session, caller, AuditAction.CREATED, measurement)
        return measurement, _granted(session, measurement, limits, draft)

    try:
        created, right = await database.write(work)
    except IntegrityError:  # another request created the same at the same time
        created, right = await database.write(work)
    if draft.inline is not None and created.status is MeasurementStatus.UPLOADING:
        created = await _store_inline(database, caller, created, draft.inline)
    return created, right


async def complete(database: Database, caller: Caller, id: str) -> Measurement:
    """Have the file of a measurement read. One whose reading has begun is returned unchanged. Raises NOT_FOUND;
    INVALID_STATE if no file was uploaded; AlreadyExists if another measurement of the cell took its name."""

    async def work(session: AsyncSession) -> Measurement:
        return await complete_locked(session, caller, await lock(session, caller, id))

    try:
        return await database.write(work)
    except IntegrityError:
        return await database.write(work)


async def complete_locked(session: AsyncSession, caller: Caller, measurement: Measurement) -> Measurement:
    """Have the file of a locked measurement read."""
    if measurement.status is not MeasurementStatus.UPLOADING:
        return measurement
    if await files.find(session, measurement.id, FileKind.UPLOAD) is None:
        raise _invalid_state("No file was uploaded: PUT it to the address of the upload, then complete.")
    await require_free_name(session, measurement.cell_instance_id, measurement.name)
    measurement.status = MeasurementStatus.PROCESSING
    await _touch(session, measurement)
    await audit_in(session, caller, AuditAction.COMPLETED, measurement)
    return measurement


async def update(database: Database, caller: Caller, id: str, changes: MeasurementUpdate) -> Measurement:
    """Change the name, the notes, the tags and the client's own fields. Raises NOT_FOUND; AlreadyExists."""

    async def work(session: AsyncSession) -> Measurement:
        measurement = await lock(session, caller, id)
        name = changes.values.get("name", measurement.name)
        if name != measurement.name and measurement.status is not MeasurementStatus.UPLOADING:
            await require_free_name(session, measurement.cell_instance_id, name)
        if await apply(session, measurement, changes):
            await audit_in(session, caller, AuditAction.UPDATED, measurement)
        return measurement

    try:
        return await database.write(work)
    except IntegrityError:
        return await database.write(work)


async def apply(session: AsyncSession, measurement: Measurement, changes: MeasurementUpdate) -> bool:
    """Apply changes to a locked measurement. Return whether any value differs; otherwise nothing is recorded."""
    values = changes.values | {"details": merged_fields(measurement.details, changes.fields)}
    if changes.tags is not None:
        values["tags"] = orjson.dumps(changes.tags).decode()
    differing = {name: value for name, value in values.items() if getattr(measurement, name) != value}
    for column, value in differing.items():
        setattr(measurement, column, value)
    measurement.folded_name = measurement.name.casefold()
    if "tags" in differing:
        await session.exec(sql_delete(MeasurementTag).where(col(MeasurementTag.measurement_id) == measurement.id))
        session.add_all(_tags(measurement.id, changes.tags or []))
    if differing:
        await _touch(session, measurement)
    return bool(differing)


async def delete(database: Database, caller: Caller, id: str) -> None:
    """Delete a measurement and its files. Raises NOT_FOUND; INVALID_STATE while a pipeline that has not ended
    references it."""

    async def work(session: AsyncSession) -> None:
        measurement = await lock(session, caller, id)
        query = (
            select(Pipeline.id)
            .join(PipelineMeasurement, col(PipelineMeasurement.pipeline_id) == col(Pipeline.id))
            .where(col(PipelineMeasurement.measurement_id) == id, col(Pipeline.status).in_(UNFINISHED))
        )
        if (await session.exec(query.limit(1))).first() is not None:
            named = list(await session.exec(query.where(visible(caller, Pipeline)).limit(NAMED + 1)))
            raise _invalid_state(f"The measurement is used by pipelines that have not ended{_naming(named)}.")
        await uploads.remove(session, measurement)
        await audit_in(session, caller, AuditAction.DELETED, measurement)

    await database.write(work)


def _naming(ids: list[str]) -> str:
    """Return the names of pipelines for a message; only those that the caller may see are given."""
    return ": " + ", ".join(ids[:NAMED]) + (" and others" if len(ids) > NAMED else "") if ids else ""


async def lock(session: AsyncSession, caller: Caller, id: str) -> Measurement:
    """Load a measurement and lock its row until the transaction ends. Raises Rejected with FORBIDDEN or NOT_FOUND."""
    require_write(caller)
    query = select(Measurement).where(visible(caller, Measurement), col(Measurement.id) == id).with_for_update()
    measurement = (await session.exec(query)).first()
    if measurement is None:
        raise not_found("measurement", "id")
    return measurement


async def require_free_name(session: AsyncSession, cell_instance_id: str | None, name: str) -> None:
    """Raise AlreadyExists if a measurement of the cell has this name."""
    if cell_instance_id is None:
        return
    query = select(Measurement.id).where(
        col(Measurement.cell_instance_id) == cell_instance_id,
        col(Measurement.name) == name,
        col(Measurement.status) != MeasurementStatus.UPLOADING,
    )
    if (existing := (await session.exec(query)).first()) is not None:
        raise AlreadyExists(f"The cell has a measurement named {name!r:.80}.", existing, "name")


async def _project(session: AsyncSession, caller: Caller, draft: MeasurementCreate) -> str:
    """Return the project of a new measurement: the cell's, if it has a cell."""
    if draft.cell_instance_id is None:
        assert draft.project_id is not None
        return draft.project_id
    try:
        cell = await cells.lock(session, caller, CellInstance, draft.cell_instance_id)
    except Rejected:
        raise not_found("cell instance", "cell_instance_id") from None
    if draft.project_id is not None and draft.project_id != cell.project_id:
        message = f"The cell belongs to the project {cell.project_id!r:.80}."
        raise Rejected(Problem(ProblemCode.INVALID, message, ("project_id",)))
    return cell.project_id


def _new(caller: Caller, project_id: str, draft: MeasurementCreate) -> Measurement:
    at = now()
    has_file = draft.type is MeasurementType.TIME_SERIES
    return Measurement(
        id=str(uuid_utils.uuid7()),
        organization_id=caller.organization_id,
        project_id=project_id,
        cell_instance_id=draft.cell_instance_id,
        user_id=caller.user_id,
        created_by_email=caller.email,
        name=draft.name,
        folded_name=draft.name.casefold(),
        notes=draft.notes,
        type=draft.type,
        status=MeasurementStatus.UPLOADING if has_file else MeasurementStatus.READY,
        format=draft.format,
        file_name=draft.file_name,
        reader=draft.reader,
        tags=orjson.dumps(draft.tags).decode(),
        details=orjson.dumps(draft.fields).decode(),
        created_at=at,
        updated_at=at,
        **draft.times,
    )


def _tags(measurement_id: str, tags: list[str]) -> list[MeasurementTag]:
    return [MeasurementTag(measurement_id=measurement_id, folded_tag=each.casefold()) for each in tags]


def _granted(
    session: AsyncSession, measurement: Measurement, limits: UploadLimits, draft: MeasurementCreate
) -> UploadRight | None:
    """Return the right to upload the file of a measurement that waits for it."""
    if measurement.status is not MeasurementStatus.UPLOADING or draft.inline is not None:
        return None
    return uploads.grant(session, measurement, limits, draft.size)


async def _first_with_key(
    session: AsyncSession, caller: Caller, project_id: str, draft: MeasurementCreate
) -> Measurement | None:
    """Return the measurement that the idempotency key created before. Raises CONFLICT."""
    if draft.idempotency_key is None:
        return None
    key = await session.get(IdempotencyKey, (caller.organization_id, project_id, KEY + draft.idempotency_key))
    if key is None:
        return None
    if key.fingerprint != draft.fingerprint:
        raise _conflict("This idempotency key was used to create something else.")
    first = await session.get(Measurement, key.pipeline_id)
    if first is None:
        raise _conflict("The measurement that this idempotency key created has been deleted.")
    return first


def _key(measurement: Measurement, draft: MeasurementCreate) -> IdempotencyKey:
    return IdempotencyKey(
        organization_id=measurement.organization_id,
        project_id=measurement.project_id,
        key=f"{KEY}{draft.idempotency_key}",
        fingerprint=draft.fingerprint,
        pipeline_id=measurement.id,
        created_at=measurement.created_at,
    )


async def _store_inline(database: Database, caller: Caller, measurement: Measurement, content: bytes) -> Measurement:
    """Store the data that came with the command, and have them read."""
    file = new_file(measurement.id, measurement.organization_id, FileKind.UPLOAD, len(content))

    async def begin(session: AsyncSession) -> None:
        session.add(file)

    await database.write(begin)
    writer = FileWriter(database, file.id)
    await writer.write(content)
    sha256 = await writer.finish()

    async def finish(session: AsyncSession) -> Measurement:
        row = await lock(session, caller, measurement.id)
        await files.complete(session, file.id, len(content), sha256)
        row.byte_count, row.sha256 = len(content), sha256
        return await complete_locked(session, caller, row)

    return await database.write(finish)


async def _touch(session: AsyncSession, measurement: Measurement) -> None:
    measurement.updated_at = next_timestamp(measurement.updated_at)
    await session.flush()
    await record_measurement(session, measurement)


async def count(database: Database, status: MeasurementStatus) -> int:
    """Count the measurements of all organizations with a status."""
    async with database.read() as session:
        query = select(func.count()).select_from(Measurement).where(col(Measurement.status) == status)
        return (await session.exec(query)).one()


def _invalid_state(message: str) -> Rejected:
    return Rejected(Problem(ProblemCode.INVALID_STATE, message, ("id",)))


def _conflict(message: str) -> Rejected:
    return Rejected(Problem(ProblemCode.CONFLICT, message, ("idempotency_key",)))
