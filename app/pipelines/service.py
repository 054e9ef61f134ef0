"""Service of pipelines: create, update, duplicate and delete, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson
import uuid_utils

from app.auth.caller import NOT_THEIRS, Caller
from app.database import changes as events
from app.database.audit import audit
from app.database.audit import entry as audit_entry
from app.database.interface import Database, ReadBudget
from app.database.interface import Steps as ReadSteps
from app.database.writes.inserts import OWN, ROW, Values
from app.database.writes.mutations import LONG, SHORT, Steps
from app.database.writes.statements import compiled_writes
from app.errors import NotUnique, Problem, ProblemCode, Rejected, forbidden
from app.models.columns import now
from app.models.enums import AuditAction, PipelineStatus
from app.models.tables import IdempotencyKey, Pipeline
from app.pipelines import repository
from app.pipelines.access import require_write
from app.pipelines.elements import MAX_NAME, Element, referenced
from app.pipelines.inputs import PipelineCreate, PipelineUpdate, checked_name
from app.pipelines.lists.labels import dump
from app.pipelines.transactions import statements
from app.pipelines.transactions.rows import COLUMNS, NEW, add_labels, insert_elements, link, lock_pipeline, set_columns


async def create(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline:
    """Create a pending pipeline. If its idempotency key was used before in the project with the same request, return
    the pipeline of that request. Raises CONFLICT if the request differs or that pipeline was deleted, and FORBIDDEN."""
    require_write(caller)
    require_project(caller, draft)
    if draft.idempotency_key is not None:
        await _refuse_key_without_project(database, caller, draft)
    try:
        return await _store(database, caller, draft)
    except NotUnique:
        return await _first_with_key(database, caller, draft)


def require_project(caller: Caller, draft: PipelineCreate) -> None:
    """Raise Rejected with FORBIDDEN if the caller may not use the project of a pipeline to create."""
    if not caller.may_use(draft.project_id):
        raise forbidden(NOT_THEIRS, "project_id")


async def find_created(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline | None:
    """Return the pipeline that the idempotency key of a draft created before, if there is one. Raises CONFLICT as
    `create` does, and FORBIDDEN."""
    require_write(caller)
    require_project(caller, draft)
    if draft.idempotency_key is None:
        return None
    async with database.read() as session:
        key = caller.organization_id, draft.project_id, draft.idempotency_key
        is_used = await session.get(IdempotencyKey, key) is not None
    return await _first_with_key(database, caller, draft) if is_used else None


async def update(database: Database, caller: Caller, id: str, changes: PipelineUpdate) -> Pipeline:
    """Change a pipeline. Raises NOT_FOUND; INVALID_STATE for elements and options of a started one."""
    return await database.mutate(partial(_update, caller, id, changes), _size(changes.elements))


def _update(caller: Caller, id: str, changes: PipelineUpdate) -> Steps[Pipeline]:
    pipeline = yield from lock_pipeline(caller, id)
    if changes.only_while_pending and pipeline.status is not PipelineStatus.PENDING:
        raise invalid_state(pipeline, "its elements and options can change only while PENDING")
    replaced = changes.elements is not None
    before = events.take_snapshot(pipeline, (yield from events.read_types(id)) if replaced else None)
    name = changes.values.get("name", pipeline.name)
    moved = {"folded_name": name.casefold(), "updated_at": next_timestamp(pipeline.updated_at)}
    if changes.labels is not None:
        moved["labels"] = dump(changes.labels)
        yield statements.DELETE_LABELS, {"pipeline": id}
        yield from add_labels(id, changes.labels)
    yield from set_columns(pipeline, changes.values | moved)
    if changes.elements is not None:
        yield statements.DELETE_ELEMENTS, {"pipeline": id}
        yield from insert_elements(pipeline, _element_values(changes.elements))
        yield statements.DELETE_LINKS, {"pipeline": id}
        yield from link(caller, id, referenced(each.config for each in changes.elements))
    yield from events.record_change(pipeline, before)
    yield from audit(caller, AuditAction.UPDATED, pipeline)
    return pipeline


async def duplicate(
    database: Database, caller: Caller, id: str, name: str | None, take_copy: Callable[[int], None]
) -> Pipeline:
    """Create a pending pipeline with the same project, options and elements. `take_copy` is called with the bytes of
    its configurations before they are copied, and may raise an error. Raises NOT_FOUND; INVALID if the name is too
    long."""
    name, copied = checked_name(name), None
    while copied is None:
        size = await database.run(partial(_read_size, database, caller, id), ReadBudget(is_single=True))
        take_copy(size)
        copied = await database.mutate(partial(_duplicate, caller, id, name, size), SHORT + size)
    return copied


def _read_size(database: Database, caller: Caller, id: str) -> ReadSteps[int]:
    """Read the bytes of the configurations of a pipeline; 0 if there is none."""
    query = compiled_writes(database.dialect)(statements.size_of_elements)
    [[size]] = yield query.sql, query.parameters({"organization": caller.organization_id, "pipeline": id})
    return int(size)


def _duplicate(caller: Caller, id: str, name: str | None, size: int) -> Steps[Pipeline | None]:
    """Copy a pipeline; None if its configurations have more bytes than `size`."""
    source = yield from lock_pipeline(caller, id)
    [[grown]] = yield statements.size_of_elements, {"organization": caller.organization_id, "pipeline": id}
    if grown > size:
        return None
    name = name or f"{source.name[: MAX_NAME - len(COPY)]}{COPY}"
    draft = PipelineCreate(source.project_id, name, source.description, source.live_progress_updates, [])
    draft = draft._replace(labels=orjson.loads(source.labels))
    pipeline = _new_pipeline(caller, draft)
    elements = yield statements.COPIED_ELEMENTS, {"pipeline": id}
    yield statements.INSERT_PIPELINE, vars(pipeline)
    shared = {"pipeline": pipeline.id, "at": pipeline.created_at}
    copies = [shared | {"element": element, "copy": str(uuid_utils.uuid7())} for element, *_ in elements]
    yield statements.COPY_ELEMENT, copies
    yield from link(caller, pipeline.id, referenced(config for *_, config in elements if config is not None))
    yield from add_labels(pipeline.id, draft.labels)
    yield events.creation_event(pipeline, [kind for _, kind, _ in elements])
    yield from audit(caller, AuditAction.DUPLICATED, pipeline)
    return pipeline


async def delete(database: Database, caller: Caller, id: str) -> None:
    """Delete a pipeline and its elements. Raises NOT_FOUND; INVALID_STATE while it runs."""
    await database.mutate(partial(_delete, caller, id), LONG)


def _delete(caller: Caller, id: str) -> Steps[None]:
    pipeline = yield from lock_pipeline(caller, id)
    if pipeline.status is PipelineStatus.RUNNING:
        raise invalid_state(pipeline, "cancel it before you delete it")
    yield from events.record_deletion(pipeline)
    yield statements.DELETE_PIPELINE, {"pipeline": id}
    yield from audit(caller, AuditAction.DELETED, pipeline)


COPY = " (copy)"
NO_PROJECT = ""
"""Project of idempotency keys whose project is unknown; no pipeline has it."""
DELETED = "The pipeline that this idempotency key created has been deleted."


async def _store(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline:
    """Store a new pipeline. Raises NotUnique if its idempotency key was used before."""
    pipeline = _new_pipeline(caller, draft)
    key = _key_row(pipeline, draft) if draft.idempotency_key is not None else None
    ids = referenced(element.config for element in draft.elements)
    if ids or draft.labels:
        return await database.mutate(partial(_store_linked, caller, pipeline, draft, key, ids), _size(draft.elements))
    change, entry = partial(_creation, pipeline, draft), audit_entry(caller, AuditAction.CREATED, pipeline)
    await database.store(database.inserts.new(vars(pipeline), _element_rows(draft.elements), key, change, entry))
    return pipeline


def _store_linked(
    caller: Caller, pipeline: Pipeline, draft: PipelineCreate, key: dict[str, Any] | None, ids: list[str]
) -> Steps[Pipeline]:
    """Store a new pipeline with links to its measurements, and its labels."""
    if key is not None:
        yield statements.INSERT_KEY, key
    yield statements.INSERT_PIPELINE, vars(pipeline)
    yield from insert_elements(pipeline, _element_values(draft.elements))
    yield from link(caller, pipeline.id, ids)
    yield from add_labels(pipeline.id, draft.labels)
    yield _creation(pipeline, draft)
    yield from audit(caller, AuditAction.CREATED, pipeline)
    return pipeline


def _creation(pipeline: Pipeline, draft: PipelineCreate) -> events.Change:
    return events.creation_event(pipeline, [element.type for element in draft.elements])


def _new_pipeline(caller: Caller, draft: PipelineCreate) -> Pipeline:
    at = now()
    name = draft.name or f"Pipeline of {at:%Y-%m-%d %H:%M:%S} UTC"
    pipeline = NEW()
    vars(pipeline).update(
        dict.fromkeys(COLUMNS),
        id=str(uuid_utils.uuid7()),
        organization_id=caller.organization_id,
        project_id=draft.project_id,
        user_id=caller.user_id,
        created_by_email=caller.email,
        name=name,
        folded_name=name.casefold(),
        description=draft.description,
        live_progress_updates=draft.live_progress_updates,
        labels=dump(draft.labels),
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


def _size(elements: list[Element] | None) -> int:
    """Estimate the duration of a mutation that stores elements."""
    return SHORT + sum(ROW + len(element.config) for element in elements or ())


def _element_values(elements: list[Element]) -> list[dict[str, Any]]:
    return [dict(zip(OWN, row, strict=True)) for row in _element_rows(elements)]


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


def next_timestamp(than: datetime) -> datetime:
    """Return the current time, or just after the last change if the clock was set back."""
    return max(now(), than + timedelta(microseconds=1))


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from the start of a pipeline to its end; None without one of them."""
    return None if start is None or end is None else (end - start).total_seconds()


def invalid_state(pipeline: Pipeline, rule: str) -> Rejected:
    message = f"The pipeline is {pipeline.status.name}: {rule}."
    return Rejected(Problem(ProblemCode.INVALID_STATE, message, ("id",)))


def _conflict(message: str) -> Rejected:
    return Rejected(Problem(ProblemCode.CONFLICT, message, ("idempotency_key",)))
