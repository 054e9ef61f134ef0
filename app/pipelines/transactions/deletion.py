"""Deletions of pipelines, written together."""

from __future__ import annotations

from collections.abc import Sequence

from app.auth.caller import Caller
from app.database.audit import audit_all
from app.database.changes import Change, take_snapshot
from app.database.writes.mutations import Pace, Steps
from app.database.writes.statements import IDS
from app.errors import Rejected, not_found
from app.models.enums import AuditAction, ElementType, PipelineStatus
from app.models.tables import Pipeline
from app.pipelines.transactions import statements
from app.pipelines.transactions.each import change_each
from app.pipelines.transactions.rows import invalid_state

MOST_SHORT = 500_000
"""Maximum bytes of configurations that are deleted on the event loop: SQLite visits each of their pages."""


def delete_each(caller: Caller, ids: Sequence[str]) -> Steps[list[Rejected | None]]:
    """Delete pipelines; None stands for each that was deleted."""
    deletion = Deletion(caller)
    outcomes = yield from change_each(caller, [(id, deletion.admit) for id in ids])
    yield from deletion.write()
    return outcomes


class Deletion:
    """Deletions of one transaction."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._admitted: dict[str, Pipeline] = {}
        """Pipelines by id whose deletion is not written yet."""

    def admit(self, pipeline: Pipeline) -> Steps[None]:
        """Delete a locked pipeline in memory; `write` writes it. Raises NOT_FOUND the second time, and INVALID_STATE
        while it runs."""
        if pipeline.id in self._admitted:
            raise not_found("pipeline", "id")
        if pipeline.status is PipelineStatus.RUNNING:
            raise invalid_state(pipeline, "cancel it before you delete it")
        self._admitted[pipeline.id] = pipeline
        yield from ()

    def write(self) -> Steps[None]:
        """Write the admitted deletions. Those of pipelines that may have results can take long."""
        if not self._admitted:
            return
        found = yield statements.deleted_elements, {IDS: list(self._admitted)}
        types: dict[str, set[ElementType]] = {id: set() for id in self._admitted}
        for id, kind, _ in found:
            types[id].add(kind)
        if sum(size for *_, size in found) > MOST_SHORT or not all(map(_is_without_results, self._admitted.values())):
            yield Pace.LONG
        for id, pipeline in self._admitted.items():
            yield Change(pipeline.organization_id, id, take_snapshot(pipeline, frozenset(types[id])), None)
        yield statements.delete_pipelines, {IDS: list(self._admitted)}
        yield from audit_all(self._caller, AuditAction.DELETED, self._admitted.values())


def _is_without_results(pipeline: Pipeline) -> bool:
    """Return whether a pipeline has neither run nor taken over results."""
    return pipeline.status is PipelineStatus.PENDING and pipeline.rerun_of is None
