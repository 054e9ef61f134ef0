"""Rerun of an ended pipeline: a new one that takes over completed results, in one transaction.

A reused element is COMPLETED from the beginning: the runner passes its result on to later elements, as it does with an
element that completed before its worker was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import orjson
import uuid_utils

from app.auth.caller import Caller
from app.database import changes as events
from app.database import telemetry
from app.database.audit import audit
from app.database.interface import Database
from app.database.retention import COPYING, purge
from app.database.writes.mutations import LONG, Steps
from app.errors import Path, Problem, ProblemCode, Rejected
from app.models.columns import now
from app.models.enums import AuditAction, ElementType, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.access import may_see
from app.pipelines.elements import MAX_NAME, find_references
from app.pipelines.lifecycle import QueueLimits, Start
from app.pipelines.rerun import copies
from app.pipelines.rerun.command import Head, RerunCommand, choose_first
from app.pipelines.rerun.copies import Copy
from app.pipelines.service import find_keyed, key_row, mutate_unique
from app.pipelines.transactions import statements
from app.pipelines.transactions.rows import NEW, add_labels, invalid_state, lock_pipeline, set_columns

MOST_BYTES = 1_000_000
"""Maximum bytes of series that one transaction copies; one that is longer is copied alone."""
RERUN = " (rerun)"
"""End of a rerun's name."""
ENDED = "only a pipeline that has ended can be run again"


async def rerun(
    database: Database,
    limits: QueueLimits,
    caller: Caller,
    id: str,
    command: RerunCommand,
    take_copy: Callable[[int], None],
    request_id: str | None = None,
) -> Pipeline:
    """Create a pipeline that takes over the results of an ended one up to its first element that runs again, and start
    it if wanted. `take_copy` is called with the bytes of the copy, and may raise an error. If the idempotency key was
    used before for the same rerun, return its pipeline. Raises NOT_FOUND; INVALID_STATE unless it has ended; INVALID;
    CONFLICT as a create does; QUEUE_FULL, and then nothing is stored."""
    new_id, taken = str(uuid_utils.uuid7()), False

    def take_once(size: int) -> None:
        nonlocal taken
        if not taken:  # the transaction may run again
            take_copy(size)
        taken = True

    new = {"id": new_id, "request_id": request_id if command.starts else None}
    work = partial(_rerun, limits, caller, id, command, new, take_once)
    with telemetry.enqueue_span(new_id) if command.starts else nullcontext():
        made = await mutate_unique(database, work, LONG)
        return made if isinstance(made, Pipeline) else await _finish_staged(database, limits, caller, command, made)


class Staged(NamedTuple):
    """Copy whose series are copied in transactions of their own; until the last one no caller sees it."""

    pipeline: Pipeline
    original: str
    copies: dict[str, str]
    """Ids of the reused elements' copies by the originals'."""
    types: list[ElementType]
    again: set[str]
    """Names of the elements that run again."""


async def _finish_staged(
    database: Database, limits: QueueLimits, caller: Caller, command: RerunCommand, staged: Staged
) -> Pipeline:
    """Copy the series in short transactions, so that other writes go between, then show the pipeline."""
    try:
        channels = await database.mutate(partial(_channels, caller, staged))
        for some in _grouped(channels):
            await database.mutate(partial(_copy_channels, caller, staged, some), LONG)
        made = await mutate_unique(database, partial(_reveal, limits, caller, command, staged), LONG)
    except Exception:
        await purge(database, staged.pipeline.id)
        raise
    if made.id != staged.pipeline.id:  # the same request was finished meanwhile
        await purge(database, staged.pipeline.id)
    return made


def _channels(caller: Caller, staged: Staged) -> Steps[list[Any]]:
    yield from lock_pipeline(caller, staged.original)
    rows = yield copies.channels, {"original": staged.original}
    return [row for row in rows if row[0] in staged.copies]


def _grouped(channels: list[Any]) -> Iterator[list[Any]]:
    """Group channels of at most MOST_BYTES together, but at least one."""
    group: list[Any] = []
    total = 0
    for channel in channels:
        total += channel[-1]
        if group and total > MOST_BYTES:
            yield group
            group, total = [], channel[-1]
        group.append(channel)
    if group:
        yield group


def _copy_channels(caller: Caller, staged: Staged, channels: list[Any]) -> Steps[None]:
    """Copy channels. Raises NOT_FOUND if the original was deleted meanwhile."""
    yield from lock_pipeline(caller, staged.original)
    named = [{f"its_{name}": value for name, value in zip(copies.CHANNEL, row, strict=False)} for row in channels]
    yield copies.COPY_CHANNEL, [each | {"new_id": staged.copies[each["its_element_id"]]} for each in named]


def _reveal(limits: QueueLimits, caller: Caller, command: RerunCommand, staged: Staged) -> Steps[Pipeline]:
    """Give a whole copy to its organization, and start it if wanted."""
    original, pipeline = (yield from lock_pipeline(caller, staged.original)), staged.pipeline
    if earlier := (yield from _find_earlier(caller, command, original)):
        return earlier
    if command.starts:
        yield from Start(limits, caller).reserve("id")
    measurement_ids = yield from _lock_measurements(caller, original.id, staged.again, command)
    at = now()
    shown = {name: getattr(pipeline, name) for name in ("organization_id", "status", "started_by")}
    shown |= {"created_at": at, "updated_at": at, "started_at": at if command.starts else None}
    yield from _record_key(command, original, pipeline)
    yield from set_columns(pipeline, shown)
    yield copies.REVEAL, {"new_pipeline": pipeline.id, "new_organization": pipeline.organization_id}
    yield from _complete(caller, command, pipeline, measurement_ids, staged.types)
    return pipeline


def _rerun(
    limits: QueueLimits,
    caller: Caller,
    id: str,
    command: RerunCommand,
    new: dict[str, Any],
    take_copy: Callable[[int], None],
) -> Steps[Pipeline | Staged]:
    original = yield from lock_pipeline(caller, id)
    if earlier := (yield from _find_earlier(caller, command, original)):
        return earlier
    if not original.is_terminal:
        raise invalid_state(original, ENDED)
    elements = [Head(*row) for row in (yield copies.HEADS, {"original": id})]
    changed = yield from _changed(id, command)
    first = choose_first(elements, command, changed)
    reused, others = elements[:first], elements[first:]
    if command.starts:
        yield from Start(limits, caller).reserve("id")
    last = reused[-1].element_order if reused else 0
    [sizes] = yield copies.size_of_copy, {"original": id, "last": last}
    take_copy(sum(map(int, sizes)))
    measurement_ids = yield from _lock_measurements(caller, id, {each.name for each in others}, command)
    pipeline = _new_pipeline(original, caller, command, new)
    is_staged = bool(reused) and int(sizes[-1]) > MOST_BYTES
    hidden = {"organization_id": COPYING, "status": PipelineStatus.PENDING, "started_at": None, "started_by": None}
    if not is_staged:
        yield from _record_key(command, original, pipeline)
    yield statements.INSERT_PIPELINE, vars(pipeline) | (hidden if is_staged else {})
    taken = [Copy(each.id, str(uuid_utils.uuid7()), str(uuid_utils.uuid7())) for each in reused]
    yield from copies.copy_elements(
        id,
        pipeline,
        taken,
        [_copy(each, command, changed) for each in others],
        COPYING if is_staged else pipeline.organization_id,
        has_series=not is_staged,
    )
    types = [element.element_type for element in elements]
    if is_staged:
        again = {each.name for each in others}
        return Staged(pipeline, id, {each.original: each.id for each in taken}, types, again)
    yield from _complete(caller, command, pipeline, measurement_ids, types)
    return pipeline


def _find_earlier(caller: Caller, command: RerunCommand, original: Pipeline) -> Steps[Pipeline | None]:
    """Return the rerun that the idempotency key made before, if it did. Raises CONFLICT."""
    if command.idempotency_key is None:
        return None
    fingerprint = command.fingerprint(original.id)
    return (yield from find_keyed(caller, original.project_id, command.idempotency_key, fingerprint))


def _record_key(command: RerunCommand, original: Pipeline, pipeline: Pipeline) -> Steps[None]:
    if command.idempotency_key is not None:
        row = key_row(pipeline, command.idempotency_key, command.fingerprint(original.id))
        yield statements.INSERT_KEY, row


def _complete(
    caller: Caller,
    command: RerunCommand,
    pipeline: Pipeline,
    measurement_ids: list[str],
    types: list[ElementType],
) -> Steps[None]:
    """Link a stored rerun to its measurements and labels, and record it."""
    links = [{"pipeline_id": pipeline.id, "measurement_id": each} for each in measurement_ids]
    yield statements.INSERT_LINK, links
    yield from add_labels(pipeline.id, orjson.loads(pipeline.labels))
    yield events.creation_event(pipeline, types)
    yield from audit(caller, AuditAction.RERUN, pipeline)
    if command.starts:
        yield from audit(caller, AuditAction.STARTED, pipeline)


def _changed(id: str, command: RerunCommand) -> Steps[set[str]]:
    """Return the names of new configurations that differ from the stored text."""
    changed = set()
    for name in command.changes:
        given = {"pipeline": id, "its_name": name, "its_config": command.config(name)}
        if not (yield statements.EQUAL_ELEMENT, given):
            changed.add(name)
    return changed


def _copy(element: Head, command: RerunCommand, changed: set[str]) -> Copy:
    config = command.config(element.name) if element.name in changed else None
    return Copy(element.id, str(uuid_utils.uuid7()), str(uuid_utils.uuid7()) if command.starts else None, config)


def _new_pipeline(original: Pipeline, caller: Caller, command: RerunCommand, new: dict[str, Any]) -> Pipeline:
    """Return a pipeline with the original's project, description, labels and options, and values of its own."""
    at = now()
    name = command.name or f"{original.name.removesuffix(RERUN)[: MAX_NAME - len(RERUN)]}{RERUN}"
    pipeline = NEW()
    kept = {column: getattr(original, column) for column in Pipeline.model_fields}
    vars(pipeline).update(
        kept,
        **new,
        user_id=caller.user_id,
        created_by_email=caller.email,
        name=name,
        folded_name=name.casefold(),
        status=PipelineStatus.RUNNING if command.starts else PipelineStatus.PENDING,
        error=None,
        error_code=None,
        created_at=at,
        updated_at=at,
        started_at=at if command.starts else None,
        finished_at=None,
        duration=None,
        worker_id=None,
        attempt=0,
        started_by=caller.key if command.starts else None,
        rerun_of=original.id,
    )
    return pipeline


def _lock_measurements(caller: Caller, original: str, again: set[str], command: RerunCommand) -> Steps[list[str]]:
    """Lock the measurements that the new configurations reference and the caller may see, and return their ids. Raises
    INVALID, or INVALID_STATE for an old configuration, if one that an element needs to run again does not exist for
    the caller."""
    configs: dict[str, str] = dict((yield copies.REFERRING, {"original": original}))
    configs |= {name: command.config(name) for name in command.changes}
    places = [(name, id, path) for name, config in configs.items() for id, path in find_references(config)]
    if not places:
        return []
    ids = list(dict.fromkeys(id for _, id, _ in places))
    rows = yield statements.lock_measurements, {"organization": caller.organization_id, "ids": ids}
    found = {id: None for id, organization_id, project_id in rows if may_see(caller, organization_id, project_id)}
    if problems := [_missing(*each, command) for each in places if each[0] in again and each[1] not in found]:
        raise Rejected(*problems)
    return list(found)


def _missing(name: str, measurement_id: str, path: Path, command: RerunCommand) -> Problem:
    message = f"The measurement {measurement_id} does not exist."
    if name in command.changes:
        return Problem(ProblemCode.INVALID, message, (*command.changes[name].config_at, *path))
    place = ".".join(map(str, path))
    return Problem(ProblemCode.INVALID_STATE, f"{name!r:.80} cannot run again, {place}: {message}", ("id",))
