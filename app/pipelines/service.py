"""Service of pipelines: create, update, duplicate and delete, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson
import uuid_utils

from app.auth.caller import NOT_THEIRS, Caller
from app.database import changes as events
from app.database.audit import audit
from app.database.audit import entry as audit_entry
from app.database.interface import Database, ReadBudget
from app.database.interface import Steps as ReadSteps
from app.database.writes.inserts import OWN, ROW, Values
from app.database.writes.mutations import LONG, SHORT, Batchable, Steps
from app.database.writes.statements import PAIRS, compiled_writes
from app.errors import NotUnique, Problem, ProblemCode, Rejected, forbidden, not_found
from app.models.columns import now
from app.models.enums import AuditAction, ElementType, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.access import may_see, require_write
from app.pipelines.elements import MAX_NAME, Element, referenced
from app.pipelines.inputs import PipelineCreate, PipelineUpdate, checked_name
from app.pipelines.lists.labels import dump
from app.pipelines.transactions import statements
from app.pipelines.transactions.deletion import delete_each
from app.pipelines.transactions.rows import (
    COLUMNS,
    NEW,
    add_labels,
    find_pipeline,
    insert_elements,
    invalid_state,
    link,
    lock_pipeline,
    set_columns,
)

T = TypeVar("T")


class Starting(Protocol):
    """Start of the pipelines that one attempt of a transaction creates."""

    def reserve(self, field: str) -> Steps[None]:
        """Take a place in the queue before anything is written. Raises QUEUE_FULL with the path of a field."""

    def begin(self, pipeline: Pipeline) -> Steps[None]:
        """Start a new pipeline."""


NewStart = Callable[[], Starting] | None
"""Returns the start of an attempt; None if the new pipeline stays pending."""


async def create(database: Database, caller: Caller, draft: PipelineCreate, start: NewStart = None) -> Pipeline:
    """Create a pipeline, pending or started. If its idempotency key was used before in the project with the same
    request, return the pipeline of that request. Raises CONFLICT if the request differs or that pipeline was deleted,
    FORBIDDEN, and QUEUE_FULL, after which nothing is stored."""
    if draft.idempotency_key is None and start is None and not draft.labels and not _references(draft):
        _require_rights(caller, draft)
        return await _store(database, caller, AuditAction.CREATED, draft)

    def steps() -> Steps[Pipeline]:
        return insert(caller, draft, start() if start is not None else None)

    return await mutate_unique(database, steps, size_of_elements(draft.elements))


async def _store(database: Database, caller: Caller, action: AuditAction, draft: PipelineCreate) -> Pipeline:
    """Store a new pipeline without labels and references."""
    pipeline = _new_pipeline(caller, draft)
    change, entry = partial(_creation, pipeline, draft), audit_entry(caller, action, pipeline)
    await database.store(database.inserts.new(vars(pipeline), _element_rows(draft.elements), None, change, entry))
    return pipeline


async def mutate_unique(database: Database, begin: Callable[[], Steps[T]], size: int) -> T:
    """Run a mutation that stores idempotency keys, again if another process stored the same at that moment: then it
    finds them."""
    try:
        return await database.mutate(begin, size)
    except NotUnique:
        return await database.mutate(begin, size)


def insert(caller: Caller, draft: PipelineCreate, start: Starting | None) -> Steps[Pipeline]:
    """Store a new pipeline, as `create` does."""
    if earlier := (yield from _find_created(caller, draft)):
        return earlier
    if start is not None:
        yield from start.reserve("start")
    pipeline = _new_pipeline(caller, draft)
    if draft.idempotency_key is not None:
        yield statements.INSERT_KEY, key_row(pipeline, draft.idempotency_key, draft.fingerprint)
    yield statements.INSERT_PIPELINE, vars(pipeline)
    yield from insert_elements(pipeline, _element_values(draft.elements))
    yield from link(caller, pipeline.id, _references(draft))
    yield from add_labels(pipeline.id, draft.labels)
    yield _creation(pipeline, draft)
    yield from audit(caller, AuditAction.CREATED, pipeline)
    if start is not None:
        yield from start.begin(pipeline)
    return pipeline


def require_project(caller: Caller, draft: PipelineCreate) -> None:
    """Raise Rejected with FORBIDDEN if the caller may not use the project of a pipeline to create."""
    if not caller.may_use(draft.project_id):
        raise forbidden(NOT_THEIRS, "project_id")


async def find_created(database: Database, caller: Caller, draft: PipelineCreate) -> Pipeline | None:
    """Return the pipeline that the idempotency key of a draft created before, if there is one. Raises CONFLICT as
    `create` does, and FORBIDDEN."""
    return await database.mutate(partial(_find_created, caller, draft))


async def update(database: Database, caller: Caller, id: str, changes: PipelineUpdate) -> Pipeline:
    """Change a pipeline. Values equal to the present ones change nothing, and nothing is recorded. Raises NOT_FOUND;
    INVALID_STATE for elements and options of a started one."""
    size = SHORT if changes.elements is None else LONG  # the replaced elements may be long
    return await database.mutate(partial(_update, caller, id, changes), size)


def _update(caller: Caller, id: str, changes: PipelineUpdate) -> Steps[Pipeline]:
    pipeline = yield from lock_pipeline(caller, id)
    if changes.only_while_pending and pipeline.status is not PipelineStatus.PENDING:
        raise invalid_state(pipeline, "its elements and options can change only while PENDING")
    changes = yield from _differing(pipeline, changes)
    if changes == PipelineUpdate({}):
        return pipeline
    replaced = changes.elements is not None
    before = events.take_snapshot(pipeline, (yield from events.read_types(id)) if replaced else None)
    moved: dict[str, Any] = {"updated_at": next_timestamp(pipeline.updated_at)}
    if "name" in changes.values:
        moved["folded_name"] = changes.values["name"].casefold()
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


def _differing(pipeline: Pipeline, changes: PipelineUpdate) -> Steps[PipelineUpdate]:
    """Return the changes without values that are equal to the present ones."""
    values = {name: value for name, value in changes.values.items() if getattr(pipeline, name) != value}
    labels = changes.labels if changes.labels is None or dump(changes.labels) != pipeline.labels else None
    elements = changes.elements
    if elements is not None and (yield from _has_elements(pipeline.id, elements)):
        elements = None
    return PipelineUpdate(values, elements, labels)


def _has_elements(id: str, elements: list[Element]) -> Steps[bool]:
    """Return whether a pipeline has exactly these elements."""
    stored = yield statements.ELEMENTS, {"pipeline": id}
    if [kind for _, kind in stored] != [kind for _, kind, _ in elements]:
        return False
    for (stored_id, _), element in zip(stored, elements, strict=True):
        given = {"pipeline": id, "its_name": element.name, "its_config": element.config}
        if [stored_id] not in [list(row) for row in (yield statements.EQUAL_ELEMENT, given)]:
            return False
    return True


async def duplicate(
    database: Database, caller: Caller, id: str, name: str | None, take_copy: Callable[[int], None]
) -> Pipeline:
    """Create a pending pipeline with the same project, options and elements. `take_copy` is called with the bytes of
    its configurations before they are copied, and may raise an error. Raises NOT_FOUND; INVALID if the name is too
    long."""
    name = checked_name(name)
    require_write(caller)
    while True:
        source, elements, size = await database.run(
            partial(_read_source, database, caller, id), ReadBudget(is_single=True)
        )
        take_copy(size)
        draft = _copy_of(source, name, elements)
        if not draft.labels and _is_at_hand(elements) and not _references(draft):
            return await _store(database, caller, AuditAction.DUPLICATED, draft)
        sources = await database.run(partial(_read_sources, database, id), _in_thread())
        if sum(each.size for each in sources) <= size:
            copied = await database.mutate(partial(_duplicate, caller, id, name, sources), SHORT + size)
            if copied is not None:
                return copied


class _Original(NamedTuple):
    """Part of a pipeline that its copies take over."""

    project_id: str
    name: str
    description: str | None
    live_progress_updates: bool | None
    labels: str


def _read_source(database: Database, caller: Caller, id: str) -> ReadSteps[tuple[_Original, list[Element], int]]:
    """Read a pipeline to duplicate, with its elements and the bytes of their configurations. A long configuration is
    left out: the database copies it. Raises NOT_FOUND."""
    query = compiled_writes(database.dialect)(statements.source)
    rows = yield query.sql, query.parameters({"organization": caller.organization_id, "pipeline": id})
    found = query.rows(rows)
    if not found or not may_see(caller, *found[0][:2]):
        raise not_found("pipeline", "id")
    elements = [row[6:] for row in found if row[-1] is not None]
    return _Original(*found[0][1:6]), [Element(*each) for *each, _ in elements], sum(size for *_, size in elements)


class _Source(NamedTuple):
    """Element to copy. Its configuration never changes: other elements replace it."""

    id: str
    type: ElementType
    size: int
    referring: str | None
    """The configuration if it may refer to measurements."""


def _in_thread() -> ReadBudget:
    """Return the state of a query that takes long: it does not run on the event loop."""
    pace = ReadBudget(is_single=True)
    pace.resting = 1
    return pace


def _read_sources(database: Database, id: str) -> ReadSteps[list[_Source]]:
    """Read the elements of a pipeline to copy. The search for references takes too long for the writer."""
    query = compiled_writes(database.dialect)(statements.copied_elements)
    rows = yield query.sql, query.parameters({"pipeline": id})
    return [_Source(*each) for each in query.rows(rows)]


def _is_at_hand(elements: list[Element]) -> bool:
    """Return whether the configurations of all elements were read."""
    return all(element.config is not None for element in elements)


def _copy_of(source: Pipeline | _Original, name: str | None, elements: list[Element]) -> PipelineCreate:
    """Return the draft of a copy."""
    name = name or f"{source.name[: MAX_NAME - len(COPY)]}{COPY}"
    draft = PipelineCreate(source.project_id, name, source.description, source.live_progress_updates, elements)
    return draft._replace(labels=orjson.loads(source.labels))


def _duplicate(caller: Caller, id: str, name: str | None, sources: list[_Source]) -> Steps[Pipeline | None]:
    """Copy a pipeline; None if its elements were replaced since they were read."""
    source = yield from lock_pipeline(caller, id)
    elements = yield statements.ELEMENTS, {"pipeline": id}
    if [element for element, _ in elements] != [each.id for each in sources]:
        return None
    draft = _copy_of(source, name, [])
    pipeline = _new_pipeline(caller, draft)
    yield statements.INSERT_PIPELINE, vars(pipeline)
    copies = {each.id: str(uuid_utils.uuid7()) for each in sources}
    yield statements.copy_elements, {"pipeline": pipeline.id, "at": pipeline.created_at, PAIRS: copies}
    yield from link(caller, pipeline.id, referenced(each.referring for each in sources if each.referring is not None))
    yield from add_labels(pipeline.id, draft.labels)
    yield events.creation_event(pipeline, [each.type for each in sources])
    yield from audit(caller, AuditAction.DUPLICATED, pipeline)
    return pipeline


async def delete(database: Database, caller: Caller, id: str) -> None:
    """Delete a pipeline and its elements. Raises NOT_FOUND; INVALID_STATE while it runs."""
    await database.mutate(Batchable(delete_each, (caller,), id))


COPY = " (copy)"
DELETED = "The pipeline that this idempotency key created has been deleted."


def _require_rights(caller: Caller, draft: PipelineCreate) -> None:
    require_write(caller)
    require_project(caller, draft)


def _references(draft: PipelineCreate) -> list[str]:
    return referenced(element.config for element in draft.elements)


def _find_created(caller: Caller, draft: PipelineCreate) -> Steps[Pipeline | None]:
    """Return the pipeline that an idempotency key created before, if it did. Raises FORBIDDEN and CONFLICT."""
    _require_rights(caller, draft)
    if draft.idempotency_key is None:
        return None
    return (yield from find_keyed(caller, draft.project_id, draft.idempotency_key, draft.fingerprint))


def find_keyed(caller: Caller, project: str, key: str, fingerprint: str) -> Steps[Pipeline | None]:
    """Return the pipeline that an idempotency key made in a project before, if it did. Raises CONFLICT for another
    request, also if the key was used for the same request and its pipeline was deleted before keys belonged to
    projects: an equal request names the same project, so the error reveals nothing about other projects."""
    place = {"organization": caller.organization_id, "project": project, "its_key": key}
    for project_id, used_for, pipeline_id in (yield statements.FIND_KEYS, place):
        is_same = used_for == fingerprint
        if project_id == statements.NO_PROJECT:
            if is_same:
                raise _conflict(DELETED)
            continue
        if not is_same:
            raise _conflict("This idempotency key was used to create something else.")
        first = yield from find_pipeline(caller, pipeline_id)
        if first is None:
            raise _conflict(DELETED)
        return first
    return None


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


def size_of_elements(elements: list[Element] | None) -> int:
    """Estimate the duration of a mutation that stores elements."""
    return SHORT + sum(ROW + len(element.config) for element in elements or ())


def _element_values(elements: list[Element]) -> list[dict[str, Any]]:
    return [dict(zip(OWN, row, strict=True)) for row in _element_rows(elements)]


def key_row(pipeline: Pipeline, key: str, fingerprint: str) -> dict[str, Any]:
    """Return the row of the idempotency key that makes a pipeline."""
    return {
        "organization_id": pipeline.organization_id,
        "project_id": pipeline.project_id,
        "key": key,
        "fingerprint": fingerprint,
        "pipeline_id": pipeline.id,
        "created_at": pipeline.created_at,
    }


def next_timestamp(than: datetime) -> datetime:
    """Return the current time, or just after the last change if the clock was set back."""
    return max(now(), than + timedelta(microseconds=1))


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from the start of a pipeline to its end; None without one of them."""
    return None if start is None or end is None else (end - start).total_seconds()


def _conflict(message: str) -> Rejected:
    return Rejected(Problem(ProblemCode.CONFLICT, message, ("idempotency_key",)))
