"""Service of pipelines: create, update, duplicate and delete, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import uuid_utils
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import NOT_THEIRS, Caller
from app.database import changes as events
from app.database.inserts import OWN, SHARED, Values
from app.database.interface import Database
from app.errors import NotUnique, Problem, ProblemCode, Rejected, forbidden, not_found
from app.models.columns import now
from app.models.enums import PipelineStatus
from app.models.measurements import Measurement, PipelineMeasurement
from app.models.tables import IdempotencyKey, Pipeline, PipelineElement
from app.pipelines import access, repository
from app.pipelines.access import require_write
from app.pipelines.elements import MAX_NAME, Element, referenced
from app.pipelines.inputs import PipelineCreate, PipelineUpdate, checked_name


async def create(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline:
    """Create a pending pipeline. If its idempotency key was used before in the project with the same request, return
    the pipeline of that request. Raises CONFLICT if the request differs or that pipeline was deleted, and FORBIDDEN."""
    require_write(caller)
    if not caller.may_use(draft.project_id):
        raise forbidden(NOT_THEIRS, "project_id")
    if draft.idempotency_key is not None:
        await _refuse_key_without_project(database, caller, draft)
    try:
        return await _store(database, caller, draft)
    except NotUnique:
        return await _first_with_key(database, caller, draft)


async def update(database: Database, caller: Caller, id: str, changes: PipelineUpdate) -> Pipeline:
    """Change a pipeline. Raises NOT_FOUND; INVALID_STATE for elements and options of a started one."""

    async def work(session: AsyncSession) -> Pipeline:
        pipeline = await lock_pipeline(session, caller, id)
        if changes.only_while_pending and pipeline.status is not PipelineStatus.PENDING:
            raise invalid_state(pipeline, "its elements and options can change only while PENDING")
        replaced = changes.elements is not None
        before = await events.take_whole_snapshot(session, pipeline) if replaced else events.take_snapshot(pipeline)
        for column, value in changes.values.items():
            setattr(pipeline, column, value)
        pipeline.folded_name = pipeline.name.casefold()
        pipeline.updated_at = next_timestamp(pipeline.updated_at)
        if changes.elements is not None:
            await session.exec(sql_delete(PipelineElement).where(col(PipelineElement.pipeline_id) == id))
            shared = {column: getattr(pipeline, same) for column, same in SHARED.items()}
            if rows := [shared | dict(zip(OWN, row, strict=True)) for row in _element_rows(changes.elements)]:
                await session.exec(insert(PipelineElement), params=rows)
            await _link(session, caller, id, referenced(each.config for each in changes.elements))
        await events.record_change(session, pipeline, before)
        return pipeline

    return await database.write(work)


async def duplicate(
    database: Database, caller: Caller, id: str, name: str | None, take_copy: Callable[[int], None]
) -> Pipeline:
    """Create a pending pipeline with the same project, options and elements. `take_copy` is called with the bytes of
    its configurations before they are read, and may raise an error. Raises NOT_FOUND; INVALID if the name is too
    long."""
    name = checked_name(name)

    async def work(session: AsyncSession) -> PipelineCreate:
        source = await lock_pipeline(session, caller, id)
        its = col(PipelineElement.pipeline_id) == id
        size = select(repository.sum_of_bytes(database, PipelineElement.job_config)).where(its)
        take_copy((await session.exec(size)).one())
        rows = await session.exec(select(PipelineElement).where(its).order_by(col(PipelineElement.element_order)))
        return PipelineCreate(
            source.project_id,
            name or f"{source.name[: MAX_NAME - len(COPY)]}{COPY}",
            source.description,
            source.live_progress_updates,
            [Element(row.name, row.element_type, row.job_config) for row in rows],
        )

    return await _store(database, caller, await database.write(work))


async def delete(database: Database, caller: Caller, id: str) -> None:
    """Delete a pipeline and its elements. Raises NOT_FOUND; INVALID_STATE while it runs."""

    async def work(session: AsyncSession) -> None:
        pipeline = await lock_pipeline(session, caller, id)
        if pipeline.status is PipelineStatus.RUNNING:
            raise invalid_state(pipeline, "cancel it before you delete it")
        await events.record_deletion(session, pipeline)
        await session.exec(sql_delete(Pipeline).where(col(Pipeline.id) == id))

    return await database.write(work)


COPY = " (copy)"
NO_PROJECT = ""
"""Project of idempotency keys whose project is unknown; no pipeline has it."""
DELETED = "The pipeline that this idempotency key created has been deleted."
NEW: Callable[[], Pipeline] = manager_of_class(Pipeline).new_instance
"""Constructor that the ORM uses for loaded rows; the class's own takes 25 times as long."""
COLUMNS = dict.fromkeys(Pipeline.model_fields)


async def _store(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline:
    """Store a new pipeline. Raises NotUnique if its idempotency key was used before."""
    pipeline = _new_pipeline(caller, draft)
    key = _key_row(pipeline, draft) if draft.idempotency_key is not None else None
    if ids := referenced(element.config for element in draft.elements):
        return await _store_linked(database, caller, pipeline, draft, key, ids)
    change = partial(_creation, pipeline, draft)
    await database.store(database.inserts.new(vars(pipeline), _element_rows(draft.elements), key, change))
    return pipeline


async def _store_linked(
    database: Database,
    caller: Caller,
    pipeline: Pipeline,
    draft: PipelineCreate,
    key: dict[str, Any] | None,
    ids: list[str],
) -> Pipeline:
    """Store a new pipeline with links to its measurements. Raises NotUnique."""
    shared = {column: getattr(pipeline, same) for column, same in SHARED.items()}

    async def work(session: AsyncSession) -> None:
        if key is not None:
            await session.exec(insert(IdempotencyKey), params=[key])
        await session.exec(insert(Pipeline), params=[{name: getattr(pipeline, name) for name in COLUMNS}])
        rows = [shared | dict(zip(OWN, row, strict=True)) for row in _element_rows(draft.elements)]
        await session.exec(insert(PipelineElement), params=rows)
        await _link(session, caller, pipeline.id, ids)
        await events.record(session, _creation(pipeline, draft))

    try:
        await database.write(work)
    except IntegrityError:
        raise NotUnique from None
    return pipeline


async def _link(session: AsyncSession, caller: Caller, pipeline_id: str, ids: list[str]) -> None:
    """Replace the links of a pipeline by those to measurements that the caller may see. A run reads only linked
    measurements, so that it reads nothing that the author of its configurations may not see. The rows of the
    measurements are locked until the transaction ends: a link to a deleted one cannot remain."""
    await session.exec(sql_delete(PipelineMeasurement).where(col(PipelineMeasurement.pipeline_id) == pipeline_id))
    if not ids:
        return
    query = select(Measurement.id).where(access.visible(caller, Measurement), col(Measurement.id).in_(ids))
    found = await session.exec(query.order_by(col(Measurement.id)).with_for_update(read=True))
    if rows := [{"pipeline_id": pipeline_id, "measurement_id": id} for id in found]:
        await session.exec(insert(PipelineMeasurement), params=rows)


def _creation(pipeline: Pipeline, draft: PipelineCreate) -> events.Change:
    return events.creation_event(pipeline, [element.type for element in draft.elements])


def _new_pipeline(caller: Caller, draft: PipelineCreate) -> Pipeline:
    at = now()
    name = draft.name or f"Pipeline of {at:%Y-%m-%d %H:%M:%S} UTC"
    pipeline = NEW()
    vars(pipeline).update(
        COLUMNS,
        id=str(uuid_utils.uuid7()),
        organization_id=caller.organization_id,
        project_id=draft.project_id,
        user_id=caller.user_id,
        created_by_email=caller.email,
        name=name,
        folded_name=name.casefold(),
        description=draft.description,
        live_progress_updates=draft.live_progress_updates,
        status=PipelineStatus.PENDING,
        attempt=0,
        created_at=at,
        updated_at=at,
    )
    return pipeline


def _element_rows(elements: list[Element]) -> list[Values]:
    """Return the values of OWN for each element."""
    return [
        (str(uuid_utils.uuid7()), name, order, kind, config)
        for order, (name, kind, config) in enumerate(elements, start=1)
    ]


def _key_row(pipeline: Pipeline, draft: PipelineCreate) -> dict[str, Any]:
    return {
        "organization_id": pipeline.organization_id,
        "project_id": pipeline.project_id,
        "key": draft.idempotency_key,
        "fingerprint": draft.fingerprint,
        "pipeline_id": pipeline.id,
        "created_at": pipeline.created_at,
    }


async def _refuse_key_without_project(database: Database, caller: Caller, draft: PipelineCreate) -> None:
    """Raise CONFLICT if the key was used for the same request and its pipeline was deleted before keys belonged to
    projects. An equal request names the same project, so the error reveals nothing about other projects."""
    async with database.read() as session:
        earlier = await session.get(IdempotencyKey, (caller.organization_id, NO_PROJECT, draft.idempotency_key))
    if earlier is not None and earlier.fingerprint == draft.fingerprint:
        raise _conflict(DELETED)


async def _first_with_key(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline:
    """Return the pipeline that an idempotency key created before."""
    key = caller.organization_id, draft.project_id, draft.idempotency_key
    async with database.read() as session:
        earlier = await session.get_one(IdempotencyKey, key)
        first = (await session.exec(repository.pipeline_query(caller, earlier.pipeline_id))).first()
    if earlier.fingerprint != draft.fingerprint:
        raise _conflict("This idempotency key was used to create something else.")
    if first is None:
        raise _conflict(DELETED)
    return first


async def lock_pipeline(session: AsyncSession, caller: Caller, id: str) -> Pipeline:
    """Load a pipeline and lock its row until the transaction ends. Raises Rejected with FORBIDDEN or NOT_FOUND."""
    require_write(caller)
    query = select(Pipeline).where(access.visible_pipelines(caller), col(Pipeline.id) == id).with_for_update()
    pipeline = (await session.exec(query)).first()
    if pipeline is None:
        raise not_found("pipeline", "id")
    return pipeline


def next_timestamp(than: datetime) -> datetime:
    """Return the current time, or just after the last change if the clock was set back."""
    return max(now(), than + timedelta(microseconds=1))


def invalid_state(pipeline: Pipeline, rule: str) -> Rejected:
    message = f"The pipeline is {pipeline.status.name}: {rule}."
    return Rejected(Problem(ProblemCode.INVALID_STATE, message, ("id",)))


def _conflict(message: str) -> Rejected:
    return Rejected(Problem(ProblemCode.CONFLICT, message, ("idempotency_key",)))
