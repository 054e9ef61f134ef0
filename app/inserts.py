"""How a new pipeline comes into the tables without the ORM: statements that are compiled from the tables once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BindParameter, Insert, String, bindparam, func, insert, select
from sqlalchemy.engine import Dialect

from app.events import CHANNEL, Change, encoded
from app.models import IdempotencyKey, Pipeline, PipelineElement

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
ROW = 20_000
"""Bytes of text that SQLite writes in the time of a row without any."""
Row = Mapping[str, Any]
Values = Sequence[Any]
"""A row's values in the order of a statement, as the driver takes them."""


class New(NamedTuple):
    """Rows that are stored together, and what that changes."""

    keys: Sequence[Values]
    pipelines: Sequence[Values]
    elements: Sequence[Values]
    change: Callable[[], Change]
    """Tells what, once somebody wants to hear of it."""
    size: int = 0
    """How long it takes to write, as bytes of text that take as long."""

    @property
    def by_table(self) -> tuple[Sequence[Values], ...]:
        """In the order in which one needs the other."""
        return self.keys, self.pipelines, self.elements


class Columns:
    """Columns of a table, and how the driver takes their values."""

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
        """Values in the order of the columns, as the driver takes them."""
        for place, process in self._processed:
            if values[place] is not None:
                values[place] = process(values[place])
        return values

    def insert(self, dialect: Dialect) -> str:
        """A statement for one row. SQLite does `VALUES` in two thirds of the time that `SELECT` takes it."""
        quote = dialect.identifier_preparer.quote
        names, marks = ", ".join(map(quote, self.names)), ", ".join("?" * len(self.names))
        return f"INSERT INTO {quote(self.model.__tablename__)} ({names}) VALUES ({marks})"

    def insert_all(self) -> Insert:
        """One for any number of rows, whose columns are arrays."""
        return insert(self.model).from_select(self.names, select(*map(_unnested, self.binds)))


class Inserts:
    """What stores new rows: on SQLite a statement for each table, which is run for each row; on PostgreSQL one for all
    rows and the notifications of them, which takes one round trip."""

    def __init__(self, dialect: Dialect) -> None:
        self._key, self._pipeline = Columns(IdempotencyKey, dialect), Columns(Pipeline, dialect)
        self._element, self._own = (Columns(PipelineElement, dialect, names) for names in ([*SHARED, *OWN], OWN))
        self._shared = itemgetter(*map(self._pipeline.names.index, SHARED.values()))
        self._tables = (self._key, self._pipeline, self._element)
        if dialect.name == "postgresql":
            parts = [each.insert_all().cte(f"new_{each.model.__tablename__}") for each in self._tables]
            payload = _unnested(bindparam("payload", type_=String))
            tell = select(func.pg_notify(bindparam("channel", type_=String), payload))
            self.texts = [str(tell.add_cte(*parts).compile(dialect=dialect))]
        else:
            self.texts = [each.insert(dialect) for each in self._tables]

    def new(self, pipeline: Row, elements: Iterable[Values], key: Row | None, change: Callable[[], Change]) -> New:
        """The rows of a pipeline, of its elements (what they have of their own) and of the key that it is created
        with."""
        values = self._pipeline.values(pipeline)
        shared = self._shared(values)
        keys = [] if key is None else [self._key.values(key)]
        rows = [[*shared, *self._own.processed(list(each))] for each in elements]
        return New(keys, [values], rows, change, sum(ROW + len(row[-1]) for row in rows))

    def arrays(self, batch: list[New]) -> list[Any]:
        """The parameters with which PostgreSQL stores all of a batch."""
        parameters: list[Any] = []
        for place, table in enumerate(self._tables):
            rows = [row for new in batch for row in new.by_table[place]]
            parameters += zip(*rows, strict=True) if rows else [()] * len(table.names)
        return [*parameters, CHANNEL, [encoded(new.change()) for new in batch]]


def _unnested(bind: BindParameter[Any]) -> Any:
    """A column of all rows, from one array."""
    return func.unnest(bindparam(bind.key, type_=ARRAY(bind.type)))
