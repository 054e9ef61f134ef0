"""Filters of pipelines, in SQL for lists and in memory for changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from app.database.broker import Match
from app.database.changes import COLUMNS, Change, Snapshot
from app.pipelines.lists.predicates import UNINDEXED, Condition, Group, Predicate, State, all_of

UNCHANGEABLE = {"id", "project_id", "user_id", "created_by_email", "created_at"}
"""Fields that no change of a pipeline alters."""
OF_STATUSES = {("status", "in"), (UNINDEXED + "status", "in")}


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Filter of pipelines: conditions, which are ANDed."""

    conditions: tuple[Condition, ...] = ()

    @property
    def project_ids(self) -> Iterator[str]:
        """Return the projects that the filter names, except within `and`, `or` and `not`."""
        for each in self.conditions:
            if isinstance(each, Predicate) and each.field == "project_id":
                yield from each.operand if each.operator == "in" else [each.operand] if each.operator == "eq" else []

    def clauses(self) -> list[ColumnElement[bool]]:
        return [each.clause() for each in self.conditions]

    def by_status(self) -> list[PipelineFilter]:
        """Return filters that together match what this one does, each for one status if this one takes some of them:
        indexes have the pipelines of each status in their order."""
        places = [place for place, each in enumerate(self.conditions) if _is_of_statuses(each)]
        if not places:
            return [self]
        [place, *_], conditions = places, list(self.conditions)
        found = []
        for status in self.conditions[place].operand:  # type: ignore[union-attr]
            conditions[place] = Predicate("status", "eq", status)
            found.append(PipelineFilter(tuple(conditions)))
        return found

    def match(self, change: Change) -> Match | None:
        """Match a change; None if the pipeline matches neither before nor after it. A notification can
        lack the snapshots, and a missed change the state before it: the match is unknown there."""
        before, after = _states(change)
        found = Match(self.matches(before), self.matches(after), after is None)
        return None if found.before is False and found.after is False else found

    def matches(self, state: State | None) -> bool | None:
        """Return whether a state matches, as the clauses do in SQL; None if it depends on unknown fields. Without a
        state, the pipeline does not exist and does not match."""
        if state is None:
            return False
        return all_of([each.matches(state) for each in self.conditions])

    def undecidable(self) -> Iterator[str]:
        """Return the fields on which changes cannot be matched, because they do not tell them."""
        for each in self.conditions:
            yield from _undecidable(each)


def _is_of_statuses(condition: Condition) -> bool:
    """Return whether a condition takes some of the statuses."""
    return isinstance(condition, Predicate) and condition[:2] in OF_STATUSES and bool(condition.operand)


def _undecidable(condition: Condition) -> Iterator[str]:
    if isinstance(condition, Group):
        if condition.operator == "element":
            yield "element"
        else:
            for each in condition.conditions:
                yield from _undecidable(each)
    elif condition.field == "description":
        yield "descriptionContains"


def _states(change: Change) -> tuple[State | None, State | None]:
    """Return what a change tells of the states before and after it."""
    before, after = change.before, change.after
    if change.is_whole:
        first, last = (None if each is None else known(change.id, each) for each in (before, after))
        return first, last
    if after is not None:
        fields = known(change.id, after)
        return {field: fields[field] for field in UNCHANGEABLE}, fields
    if change.project_ids is None:
        return {"id": change.id}, {"id": change.id}
    projects = change.project_ids
    first, last = (None if each is None else {"id": change.id, "project_id": each} for each in projects)
    return first, last


def known(id: str, snapshot: Snapshot) -> State:
    """Return the fields of a snapshot that are known."""
    fields = {"id": id, **{name: getattr(snapshot, name) for name in COLUMNS}}
    return fields if snapshot.element_types is None else fields | {"element_types": snapshot.element_types}
