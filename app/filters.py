"""Which pipelines are meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false
from sqlmodel import col, exists

from app.events import Change, Snapshot
from app.models import ElementType, JobErrorCode, Pipeline, PipelineElement, PipelineStatus


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Fields are ANDed, list values ORed. None does not filter; an empty list matches nothing."""

    project_id: str | None = None
    statuses: list[PipelineStatus] | None = None
    error_codes: list[JobErrorCode] | None = None
    element_types: list[ElementType] | None = None
    name_contains: str | None = None
    created_by_email: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None

    def clauses(self) -> Iterator[ColumnElement[bool]]:
        if self.project_id is not None:
            yield col(Pipeline.project_id) == self.project_id
        if self.statuses is not None:
            yield col(Pipeline.status).in_(set(self.statuses))
        if self.error_codes is not None:
            yield col(Pipeline.error_code).in_(set(self.error_codes))
        if self.element_types is not None:
            yield exists().where(
                col(PipelineElement.pipeline_id) == col(Pipeline.id),
                col(PipelineElement.element_type).in_(set(self.element_types)),
            )
        if self.name_contains is not None:
            folded = self.name_contains.casefold()
            # SQLite refuses patterns of 50,000 bytes; nothing that long is in a name.
            yield (col(Pipeline.folded_name).contains(folded, autoescape=True) if len(folded) < 5000 else false())
        if self.created_by_email is not None:
            yield col(Pipeline.created_by_email) == self.created_by_email
        yield from self._times()

    def _times(self) -> Iterator[ColumnElement[bool]]:
        if self.created_after is not None:
            yield col(Pipeline.created_at) > self.created_after
        if self.created_before is not None:
            yield col(Pipeline.created_at) < self.created_before
        if self.updated_after is not None:
            yield col(Pipeline.updated_at) > self.updated_after
        if self.updated_before is not None:
            yield col(Pipeline.updated_at) < self.updated_before

    def concerns(self, change: Change) -> bool:
        """Whether a pipeline matches after a change or did before it; where that is not known, whether it may have."""
        if not change.is_whole:
            return change.after is None or self._what_stays().matches(change.after)
        return any(state is not None and self.matches(state) for state in (change.before, change.after))

    def matches(self, state: Snapshot) -> bool:
        """The same as the clauses, of a whole snapshot."""
        return (
            (self.project_id is None or state.project_id == self.project_id)
            and (self.statuses is None or state.status in self.statuses)
            and (self.error_codes is None or state.error_code in self.error_codes)
            and (self.element_types is None or not (state.element_types or set()).isdisjoint(self.element_types))
            and (self.name_contains is None or self.name_contains.casefold() in state.folded_name)
            and (self.created_by_email is None or state.created_by_email == self.created_by_email)
            and _between(self.created_after, state.created_at, self.created_before)
            and _between(self.updated_after, state.updated_at, self.updated_before)
        )

    def _what_stays(self) -> PipelineFilter:
        """The filter without what a change can make a pipeline match."""
        return PipelineFilter(
            project_id=self.project_id,
            created_by_email=self.created_by_email,
            created_after=self.created_after,
            created_before=self.created_before,
        )


def _between(after: datetime | None, at: datetime, before: datetime | None) -> bool:
    return (after is None or at > after) and (before is None or at < before)
