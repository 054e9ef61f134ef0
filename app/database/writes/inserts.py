"""Bulk inserts of new pipelines without the ORM: statements compiled once from the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy.engine import Dialect

from app.database.changes import Change
from app.models.audit import AuditEntry
from app.models.tables import IdempotencyKey, Pipeline, PipelineElement

SHARED = {
    "pipeline_id": "id",
    "organization_id": "organization_id",
    "status": "status",
    "created_at": "updated_at",
    "updated_at": "updated_at",
    "attempt": "attempt",
}
"""Columns with the same value in all new elements, by the pipeline's column that holds the value."""
NEW = (
    *("id", "organization_id", "project_id", "user_id", "created_by_email", "name", "folded_name", "description"),
    *("live_progress_updates", "status", "created_at", "updated_at", "labels", "attempt"),
)
"""Columns of a new pipeline that may have a value; all others are null."""
OWN = ("id", "name", "element_order", "element_type", "job_config")
"""Columns with a value of their own for each element."""
ROW = 20_000
"""Fixed cost of one INSERT, in bytes of JSON that take as long to write."""
Row = Mapping[str, Any]
Values = Sequence[Any]
"""Values of a row in the order of a statement, converted for the driver."""


class PipelineInsert(NamedTuple):
    """Rows that are stored together, and their change event."""

    keys: Sequence[Values]
    pipelines: Sequence[Values]
    elements: Sequence[Values]
    audit: Sequence[Values]
    change: Callable[[], Change]
    """Builds the change event; called only if there is a subscriber."""
    size: int = 0
    """Estimated duration of the write, in bytes of text that take as long."""

    @property
    def by_table(self) -> tuple[Sequence[Values], ...]:
        """Rows by table, in the order of their foreign keys."""
        return self[:4]


class InsertColumns:
    """Columns of a table with their bind processors."""

    def __init__(self, model: Any, dialect: Dialect, names: Iterable[str] = ()) -> None:
        table = model.__table__
        self.model, self.names = model, tuple(names) or tuple(table.c.keys())
        self.binds = [bindparam(f"{table.name}_{name}", type_=table.c[name].type) for name in self.names]
        self._pick = itemgetter(*self.names)
        processors = (bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in self.binds)
        self._processed = [(place, process) for place, process in enumerate(processors) if process is not None]

    def values(self, row: Row) -> list[Any]:
        return self.processed(list(self._pick(row)))

    def processed(self, values: list[Any]) -> list[Any]:
        """Convert values, in the order of the columns, for the driver."""
        for place, process in self._processed:
            if values[place] is not None:
                values[place] = process(values[place])
        return values


class Inserts:
    """INSERT statements of new pipelines. Each database has a subclass with its statements."""

    texts: list[str]
    """SQL of the statements."""

    def __init__(self, dialect: Dialect) -> None:
        self._key, self._pipeline = InsertColumns(IdempotencyKey, dialect), InsertColumns(Pipeline, dialect, NEW)
        self._element, self._own = (InsertColumns(PipelineElement, dialect, names) for names in ([*SHARED, *OWN], OWN))
        self._shared = itemgetter(*map(self._pipeline.names.index, SHARED.values()))
        self._audit = InsertColumns(AuditEntry, dialect)
        self.tables = (self._key, self._pipeline, self._element, self._audit)

    def new(
        self,
        pipeline: Row,
        elements: Iterable[Values],
        key: Row | None,
        change: Callable[[], Change],
        entry: Row | None = None,
    ) -> PipelineInsert:
        """Build the rows of a pipeline, its elements (the values of OWN), its idempotency key and its entry in the
        audit log."""
        values = self._pipeline.values(pipeline)
        shared = self._shared(values)
        keys = [] if key is None else [self._key.values(key)]
        rows = [[*shared, *self._own.processed(list(each))] for each in elements]
        entries = [] if entry is None else [self._audit.values(entry)]
        return PipelineInsert(keys, [values], rows, entries, change, sum(ROW + len(row[-1]) for row in rows))
