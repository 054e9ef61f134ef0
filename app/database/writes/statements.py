"""Statements of writes, compiled once for the dialect of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Executable, Float, Insert, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from app.models.sql import Sql, sql_of

Query = Executable | Callable[[Sql], Executable]
"""Statement of SQLAlchemy Core, or a function that builds it for the SQL of a dialect. It is a constant of a module, or
cached: compiled statements are kept."""
Row = Mapping[str, Any]
IDS, PAIRS = "ids", "pairs"
"""Names of the parameters of `Sql.ids`, whose value is a list, and of `Sql.pairs`, whose value is a dictionary."""


def _result_processor(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return the conversion of a column's values. Drivers return floats as they are; SQLAlchemy would ask for the
    driver's type."""
    return None if isinstance(kind, Float) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _encode_pairs(pairs: dict[str, str]) -> str:
    return orjson.dumps(pairs).decode()


class CompiledWrite:
    """A compiled statement: its SQL, and the conversions of its parameters and of its rows."""

    def __init__(self, query: Executable, dialect: Dialect) -> None:
        compiled: Any = query.compile(dialect=dialect)  # type: ignore[attr-defined]
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self.sql = str(compiled)
        self.is_row = isinstance(query, Insert) and query.select is None
        """Whether it inserts one row of values."""
        self._template: list[Any] = []
        self._slots: list[tuple[int, str, Callable[[Any], Any] | None]] = []
        for place, name in enumerate(compiled.positiontup or ()):
            process = binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            if name == IDS:
                process = sql_of(dialect).encode_ids
            elif name == PAIRS:
                process = _encode_pairs
            if binds[name].required:
                self._slots.append((place, name, process))
                self._template.append(None)
            else:
                value = compiled.params[name]
                self._template.append(value if process is None else process(value))
        columns = query.selected_columns if isinstance(query, Select) else ()
        processors = (_result_processor(column.type, dialect) for column in columns)
        self._results = [(place, process) for place, process in enumerate(processors) if process is not None]

    def parameters(self, values: Row) -> list[Any]:
        """Return the parameters in the order of the statement, converted for the driver."""
        parameters = self._template.copy()
        for place, name, process in self._slots:
            value = values[name]
            parameters[place] = value if process is None else process(value)
        return parameters

    def rows(self, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
        """Convert rows of the driver to the types of the columns."""
        if not self._results:
            return list(rows)
        converted = list(map(list, rows))
        for row in converted:
            for place, process in self._results:
                row[place] = process(row[place])
        return converted  # type: ignore[return-value]


class CompiledWrites:
    """Compiled statements of one dialect, by the statement."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[Any, CompiledWrite] = {}

    def __call__(self, query: Query) -> CompiledWrite:
        found = self._compiled.get(query)
        if found is None:
            built = query if isinstance(query, Executable) else query(sql_of(self._dialect))
            found = self._compiled[query] = CompiledWrite(built, self._dialect)
        return found


@lru_cache(8)
def compiled_writes(dialect: Dialect) -> CompiledWrites:
    """Return the compiled statements of a dialect."""
    return CompiledWrites(dialect)
