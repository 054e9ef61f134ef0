"""How a new pipeline comes into the tables without the ORM: statements that are compiled from the tables once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Insert, String, bindparam, func, insert, select
from sqlalchemy.engine import Dialect

from app.events import CHANNEL, Change, encoded
from app.models import IdempotencyKey, Pipeline, PipelineElement
from app.writer import Statements

SHARED = {
    "pipeline_id": "id",
    "organization_id": "organization_id",
    "status": "status",
    "created_at": "updated_at",
    "updated_at": "updated_at",
    "attempt": "attempt",
}
"""What all new elements have in common: columns of theirs, and those of their pending pipeline with the same value."""
OWN = ("id", "name", "element_order", "element_type", "job_config")
"""What each of them has of its own."""
Row = Mapping[str, Any]


class Columns:
    """Columns of a table, and how a driver takes their values."""

    def __init__(self, model: Any, dialect: Dialect, names: Sequence[str] = ()) -> None:
        table = model.__table__
        self.names = tuple(names or table.c.keys())
        self.types = [table.c[name].type for name in self.names]
        self.binds = [bindparam(f"{table.name}_{n}", type_=t) for n, t in zip(self.names, self.types, strict=True)]
        processors = [each.dialect_impl(dialect).bind_processor(dialect) for each in self.types]
        self._read = list(zip(self.names, processors, strict=True))

    def values(self, row: Row) -> list[Any]:
        """The columns' values, as the driver takes them."""
        return [row[name] if process is None else process(row[name]) for name, process in self._read]


class Inserts:
    """What stores a pipeline, with its elements and the key that it is created with: on SQLite a statement for each
    table; on PostgreSQL one for all, so that they and the notification take one round trip."""

    def __init__(self, dialect: Dialect) -> None:
        self._whole = dialect.name == "postgresql"
        self._pipeline, self._key = Columns(Pipeline, dialect), Columns(IdempotencyKey, dialect)
        self._shared, self._own = (Columns(PipelineElement, dialect, names) for names in (tuple(SHARED), OWN))
        self._in_common = itemgetter(*map(self._pipeline.names.index, SHARED.values()))
        pipeline, key = (
            insert(m).values(_by_name(c)) for m, c in ((Pipeline, self._pipeline), (IdempotencyKey, self._key))
        )
        if self._whole:
            parts = [pipeline.cte("new_pipeline"), self._elements(_unnested).cte("new_elements")]
            tell = select(func.pg_notify(bindparam("channel", type_=String), bindparam("payload", type_=String)))
            whole, keyed = tell.add_cte(*parts), tell.add_cte(key.cte("new_key"), *parts)
            self._texts = [str(each.compile(dialect=dialect)) for each in (whole, keyed)]
        else:
            statements = (key, pipeline, self._elements(lambda bind: bind))
            self._texts = [str(each.compile(dialect=dialect)) for each in statements]

    def of(self, pipeline: Row, elements: Sequence[Row], key: Row | None, change: Change) -> Statements:
        """The statements, with their parameters."""
        of_pipeline, of_key = self._pipeline.values(pipeline), None if key is None else self._key.values(key)
        common, own = self._in_common(of_pipeline), [self._own.values(each) for each in elements]
        if self._whole:
            arrays = [list(column) for column in zip(*own, strict=True)] or [[]] * len(OWN)
            parameters = [*(of_key or ()), *of_pipeline, *common, *arrays, CHANNEL, encoded(change)]
            return [(self._texts[key is not None], [parameters])]
        keys = [] if of_key is None else [of_key]
        values = (keys, [of_pipeline], [[*common, *each] for each in own])
        return [(text, rows) for text, rows in zip(self._texts, values, strict=True) if rows]

    def _elements(self, of_each: Callable[[BindParameter[Any]], Any]) -> Insert:
        values = [*self._shared.binds, *map(of_each, self._own.binds)]
        return insert(PipelineElement).from_select([*SHARED, *OWN], select(*values))


def _by_name(columns: Columns) -> dict[str, BindParameter[Any]]:
    return dict(zip(columns.names, columns.binds, strict=True))


def _unnested(bind: BindParameter[Any]) -> Any:
    """A column of all rows, from one array."""
    return func.unnest(bindparam(bind.key, type_=ARRAY(bind.type)))


@lru_cache(8)
def inserts(dialect: Dialect) -> Inserts:
    """Those of a database."""
    return Inserts(dialect)
