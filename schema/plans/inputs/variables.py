"""Variables of an operation: types are looked up once, values coerced as in graphql-core."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLBoolean, GraphQLError, Undefined, get_nullable_type, is_non_null_type
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

from schema import graphql_schema
from schema.documents.documents import Document
from schema.plans.inputs.coercion import coercer
from schema.plans.selections import Unplanned


class Variables:
    """Variable definitions of an operation."""

    def __init__(self, document: Document, name: str | None) -> None:
        definitions = document.operation(name).node.variable_definitions or ()
        found = [get_variable_signature(graphql_schema, node) for node in definitions]
        self._signatures = [
            (s, coercer(s.type), is_non_null_type(s.type)) for s in found if not isinstance(s, GraphQLError)
        ]
        self.booleans = [s.name for s, *_ in self._signatures if get_nullable_type(s.type) is GraphQLBoolean]

    def coerced(self, given: dict[str, Any] | None) -> VariableValues:
        """Coerce the values. Raises Unplanned for an invalid value, which the executor reports."""
        sources, coerced, given = {}, {}, given or {}
        for signature, coerce, is_required in self._signatures:
            name = signature.name
            if name in given:
                sources[name] = VariableValueSource(signature, given[name])
                value = coerce(given[name])
            else:
                sources[name] = VariableValueSource(signature)
                value = coerce_default_value(signature)
                if value is Undefined and not is_required:
                    continue
            if value is Undefined:
                raise Unplanned
            coerced[name] = value
        return VariableValues(sources, coerced)

    def flags(self, values: VariableValues) -> tuple[Any, ...]:
        """Return the values of Boolean variables, some of which decide the selection."""
        return tuple([values.coerced.get(name, Undefined) for name in self.booleans]) if self.booleans else ()
