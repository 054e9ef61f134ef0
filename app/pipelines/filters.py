"""Filter of pipelines, in SQL and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, false
from sqlmodel import col, exists

from app.database.changes import Change, Snapshot
from app.models.columns import Contains
from app.models.enums import ElementType, JobErrorCode, PipelineStatus
from app.models.tables import Pipeline, PipelineElement


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Filter of pipelines. Fields are ANDed, list values ORed. None does not filter; an empty list matches nothing."""

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
        return clauses(self.operands())

    def operands(self) -> dict[str, Any]:
        """Return the operands of the fields that filter."""
        given = {name: value for name, value in zip(FIELDS, VALUES(self), strict=True) if value is not None}
        for name, value in given.items():
            if name == "name_contains":
                given[name] = value.casefold()
            elif isinstance(value, list):
                given[name] = list(dict.fromkeys(value))
        return given

    def concerns(self, change: Change) -> bool:
        """Return whether a pipeline matches after a change or did before it; if unknown, whether it may."""
        if not change.is_whole and change.after is not None:
            return self._what_stays().matches(change.after)
        if not change.is_whole:
            return self.project_id is None or change.project_ids is None or self.project_id in change.project_ids
        return any(state is not None and self.matches(state) for state in (change.before, change.after))

    def matches(self, state: Snapshot) -> bool:
        """Return whether a complete snapshot matches; equal to the clauses in SQL."""
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
        """Return the filter reduced to columns that no change can alter."""
        return PipelineFilter(
            project_id=self.project_id,
            created_by_email=self.created_by_email,
            created_after=self.created_after,
            created_before=self.created_before,
        )


FIELDS = tuple(field.name for field in fields(PipelineFilter))
VALUES = attrgetter(*FIELDS)
CLAUSES: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "project_id": lambda id: col(Pipeline.project_id) == id,
    "statuses": lambda statuses: _among(col(Pipeline.status), statuses),
    "error_codes": lambda codes: _among(col(Pipeline.error_code), codes),
    "element_types": lambda types: exists().where(
        col(PipelineElement.pipeline_id) == col(Pipeline.id), _among(col(PipelineElement.element_type), types)
    ),
    "name_contains": lambda text: Contains(col(Pipeline.folded_name), text),
    "created_by_email": lambda email: col(Pipeline.created_by_email) == email,
    "created_after": lambda at: col(Pipeline.created_at) > at,
    "created_before": lambda at: col(Pipeline.created_at) < at,
    "updated_after": lambda at: col(Pipeline.updated_at) > at,
    "updated_before": lambda at: col(Pipeline.updated_at) < at,
}


def _among(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    among: ColumnElement[bool] = column.in_(values) if values else false()
    return among


def clauses(operands: Mapping[str, Any]) -> Iterator[ColumnElement[bool]]:
    """Return the SQL clauses of a filter's operands: values, or parameters of a prepared statement."""
    return (CLAUSES[name](operand) for name, operand in operands.items())


def _between(after: datetime | None, at: datetime, before: datetime | None) -> bool:
    return (after is None or at > after) and (before is None or at < before)
