"""Order of the audit log."""

from __future__ import annotations

from typing import Any, ClassVar

from app.models.audit import AuditEntry
from app.pipelines.lists.pagination import Order, plain_text


class AuditOrder(Order):
    """Order of entries by their ids, which sort by time, newest first."""

    __slots__ = ()
    model: ClassVar[Any] = AuditEntry

    def __init__(self) -> None:
        super().__init__("id")

    def _value(self, text: Any) -> Any:
        return plain_text(text)
