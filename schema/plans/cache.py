"""Plans, made when an operation is first run and kept for its next runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, NamedTypeNode, NonNullTypeNode, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues, get_variable_values
from sqlalchemy.engine import Dialect

from app.callers import Caller
from app.readers import Steps
from schema import schema
from schema.documents import Document
from schema.plans.fields import field_of
from schema.plans.roots import root
from schema.plans.rows import Compiling, Run
from schema.plans.selections import Selections, Unplanned

CACHED = 512
Flags = tuple[tuple[str, Any], ...]
Plan = Callable[[Run], Steps[dict[str, Any]]]


@dataclass
class Tally:
    """How operations were answered since the start."""

    plan: int = 0
    executor: int = 0
    compiled: int = 0


class Plans:
    """The plans of operations that were run of late, for one kind of database. A plan knows no caller and no values of
    variables but of the Boolean ones: what @include and @skip read is among those."""

    def __init__(self, dialect: Dialect) -> None:
        self.tally = Tally()
        self._dialect = dialect
        self._plan = lru_cache(CACHED)(self._compile)

    def steps(self, document: Document, name: str | None, variables: dict[str, Any] | None, caller: Caller) -> Any:
        """What to read for one run of a query, and the data that comes of it. Unplanned where there is no plan."""
        operation = document.operation(name)
        definitions = operation.variable_definitions or ()
        values = get_variable_values(schema._schema, definitions, variables or {})
        if isinstance(values, list):  # of errors
            raise Unplanned
        plan = self._plan(document, name, flags(operation, values))
        if plan is None:
            raise Unplanned
        return plan(Run(caller, values))

    def _compile(self, document: Document, name: str | None, flags: Flags) -> Plan | None:
        self.tally.compiled += 1
        try:
            return compiled(document, name, flags, self._dialect)
        except (Unplanned, GraphQLError):
            return None


def flags(operation: OperationDefinitionNode, values: VariableValues) -> Flags:
    """The Boolean variables that have a value."""
    return tuple(
        (node.variable.name.value, values.coerced[node.variable.name.value])
        for node in operation.variable_definitions or ()
        if is_boolean(node.type) and node.variable.name.value in values.coerced
    )


def is_boolean(kind: Any) -> bool:
    named = kind.type if isinstance(kind, NonNullTypeNode) else kind
    return isinstance(named, NamedTypeNode) and named.name.value == "Boolean"


def compiled(document: Document, name: str | None, flags: Flags, dialect: Dialect) -> Plan:
    """The plan of a query. Unplanned when a part of it has none."""
    operation = document.operation(name)
    if operation.operation is not OperationType.QUERY or document.tree is None:
        raise Unplanned
    selections = Selections(document.tree, operation, VariableValues({}, dict(flags)))
    compiling = Compiling(selections, dialect, field_of)
    roots = {key: root(compiling, details) for key, details in selections.root().items()}

    def plan(run: Run) -> Steps[dict[str, Any]]:
        data = {}
        for key, each in roots.items():
            data[key] = yield from each(run)
        return data

    return plan
