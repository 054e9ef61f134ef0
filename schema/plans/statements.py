"""Selects that are compiled to SQL text once, and run with other parameters each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson
from sqlalchemy import ARRAY, Select, String, bindparam, func, select
from sqlalchemy.engine import Dialect

from app.callers import Caller
from app.columns import Binary

CALLER = Caller(organization_id=cast(str, bindparam("organization_id", type_=Binary)))
"""Stands for whoever runs a statement: none is ever compiled for one caller."""
IDS = "ids"


class Statement:
    """One select as text, for one kind of database."""

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        compiled = query.compile(dialect=dialect)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self.sql = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._places = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]

    def __call__(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The text, and its parameters in order."""
        constants = self._constants
        parameters = []
        for name, process in self._places:
            value = values[name] if name in values else constants[name]
            parameters.append(value if process is None else process(value))
        return self.sql, parameters


def ids_given(dialect: Dialect) -> Any:
    """Stands for any number of ids, which are one parameter: the text is the same for all numbers."""
    if dialect.name == "postgresql":
        return select(func.unnest(bindparam(IDS, type_=ARRAY(String))).label("id"))
    return select(func.json_each(bindparam(IDS, type_=String)).table_valued("value").c.value)


def ids_parameter(ids: list[str], dialect: Dialect) -> Any:
    """The value of that parameter."""
    return ids if dialect.name == "postgresql" else orjson.dumps(ids).decode()
