"""Lists of the audit log: its filter and its order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement
from sqlmodel import col

from app.models.audit import AuditEntry
from app.models.enums import AuditAction
from app.pipelines.lists.pagination import Order, plain_text


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Filter of entries, whose conditions are ANDed; None filters nothing."""

    project_id: str | None = None
    object_id: str | None = None
    key: str | None = None
    actions: tuple[AuditAction, ...] | None = None
    after: datetime | None = None
    before: datetime | None = None

    @property
    def project_ids(self) -> list[str]:
        """Return the projects that the filter names."""
        return [] if self.project_id is None else [self.project_id]

    def clauses(self) -> list[ColumnElement[bool]]:
        equal = {"project_id": self.project_id, "object_id": self.object_id, "key": self.key}
        found = [col(getattr(AuditEntry, name)) == value for name, value in equal.items() if value is not None]
        if self.actions is not None:
            found.append(col(AuditEntry.action).in_(self.actions))
        if self.after is not None:
            found.append(col(AuditEntry.at) > self.after)
        if self.before is not None:
            found.append(col(AuditEntry.at) < self.before)
        return found


class AuditOrder(Order):
    """Order of entries by their ids, which sort by time, newest first."""

    __slots__ = ()
    model: ClassVar[Any] = AuditEntry

    def __init__(self) -> None:
        super().__init__("id")

    def _value(self, text: Any) -> Any:
        return plain_text(text)
