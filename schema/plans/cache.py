"""Plans, made when an operation is first run and kept for its next runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, OperationType, Undefined
from graphql.execution.values import VariableValues
from sqlalchemy.engine import Dialect

from app.readers import Pace, Steps
from schema.documents import Document
from schema.plans.fields import field_of
from schema.plans.roots import Root, root
from schema.plans.rows import Compiling, Run
from schema.plans.selections import Selections, Unplanned
from schema.plans.variables import Variables

CACHED = 512
"""Operations that are kept, and plans of them."""
Flags = tuple[Any, ...]


@dataclass(slots=True)
class Tally:
    """How operations were answered since the start."""

    plan: int = 0
    executor: int = 0
    compiled: int = 0


class Plan:
    """What is read for a query, whoever asks and whatever its variables are."""

    __slots__ = ("_roots", "pace")

    def __init__(self, roots: list[tuple[str, Root]]) -> None:
        self._roots = roots
        self.pace = Pace()

    def __call__(self, run: Run) -> Steps[dict[str, Any]]:
        data = {}
        for key, read in self._roots:
            data[key] = yield from read(run)
        return data


class Plans:
    """The plans of queries that were run of late, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self.tally = Tally()
        self._dialect = dialect
        self._variables = lru_cache(CACHED)(Variables)
        self._plan = lru_cache(CACHED)(self._compile)

    def find(self, document: Document, name: str | None, given: dict[str, Any] | None) -> tuple[Plan, VariableValues]:
        """The plan of a query, and the values of its variables. Unplanned where only the executor has an answer."""
        variables = self._variables(document, name)
        values = variables.coerced(given or {})
        plan = self._plan(document, name, variables.flags(values))
        if plan is None:
            raise Unplanned
        return plan, values

    def _compile(self, document: Document, name: str | None, flags: Flags) -> Plan | None:
        self.tally.compiled += 1
        values = zip(self._variables(document, name).booleans, flags, strict=True)
        coerced = {variable: value for variable, value in values if value is not Undefined}
        try:
            return compiled(document, name, VariableValues({}, coerced), self._dialect)
        except (Unplanned, GraphQLError, RecursionError):
            return None


def compiled(document: Document, name: str | None, values: VariableValues, dialect: Dialect) -> Plan:
    """The plan of a query, of whose variables only the Boolean ones are known: what @include and @skip read is among
    them. Unplanned when a part of it has none."""
    operation = document.operation(name).node
    if operation.operation is not OperationType.QUERY:
        raise Unplanned
    selections = Selections(document.tree, operation, values)
    compiling = Compiling(selections, dialect, field_of)
    return Plan([(key, root(compiling, details)) for key, details in selections.root().items()])
