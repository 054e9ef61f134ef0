"""Variables of operations and arguments of fields: types and constants are evaluated once; variables are coerced as in
graphql-core, and inserted for each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputType,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_argument_values
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal, coerce_input_value

from schema import graphql_schema
from schema.documents.documents import Document
from schema.plans.inputs.coercion import TEXTS, NeedsGraphQLCore, Unplanned, coercer

Coerced = Mapping[str, Any]
"""Coerced variables by name."""


class Variables:
    """Variable definitions of an operation."""

    def __init__(self, document: Document, name: str | None) -> None:
        definitions = document.operation(name).node.variable_definitions or ()
        found = [get_variable_signature(graphql_schema, node) for node in definitions]
        self._signatures = [
            (s, coercer(s.type), get_nullable_type(s.type) in TEXTS, is_non_null_type(s.type))
            for s in found
            if not isinstance(s, GraphQLError)
        ]
        self.booleans = [s.name for s, *_ in self._signatures if get_nullable_type(s.type) is GraphQLBoolean]

    def coerced(self, given: dict[str, Any] | None) -> VariableValues:
        """Coerce the values. Raises Unplanned for an invalid value, which the executor reports."""
        sources, coerced, given = {}, {}, given or {}
        for signature, coerce, is_text, is_required in self._signatures:
            name = signature.name
            if name in given:
                value = given[name]
                sources[name] = VariableValueSource(signature, value)
                if not is_text or type(value) is not str:
                    value = coerce(value)
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


class ArgumentPart(NamedTuple):
    """Value of a literal: a constant, or a function of the variables."""

    value: Any = None
    make: Callable[[Coerced], Any] | None = None

    def then(self, convert: Callable[[Any], Any] | None) -> ArgumentPart:
        if convert is None:
            return self
        if self.make is None:
            return ArgumentPart(self.value if self.value is None else convert(self.value))
        make = self.make
        return ArgumentPart(make=lambda coerced: convert(make(coerced)))


class Converter(NamedTuple):
    """Python name of an argument, and the converter of its coerced value."""

    name: str
    convert: Callable[[Any], Any] | None = None


class Arguments:
    """Arguments of one field, named as in `converters`; by GraphQL names if it is empty."""

    def __init__(self, definition: GraphQLField, node: FieldNode, converters: Mapping[str, Converter]) -> None:
        self._definition, self._node, self._converters = definition, node, converters
        self._fixed: dict[str, Any] = {}
        self._varying: list[tuple[str, Callable[[Coerced], Any]]] = []
        self._is_usual = True
        try:
            parts = self._parts()
        except NeedsGraphQLCore:
            self._is_usual = False
            return
        for name, part in parts.items():
            if part.make is None:
                self._fixed[name] = part.value
            else:
                self._varying.append((name, part.make))

    def _parts(self) -> dict[str, ArgumentPart]:
        given = {argument.name.value: argument.value for argument in self._node.arguments or ()}
        found = _fields(self._definition.args, given)
        named = ((self._converters.get(name, Converter(name)), part) for name, part in found.items())
        return {converter.name: part.then(converter.convert) for converter, part in named}

    def __call__(self, values: VariableValues) -> dict[str, Any]:
        """Return the values. Raises GraphQLError as the executor does."""
        if not self._is_usual:
            return self._unusual(values)
        found, coerced = dict(self._fixed), values.coerced
        try:
            for name, make in self._varying:
                found[name] = make(coerced)
        except NeedsGraphQLCore:
            return self._unusual(values)
        return found

    def _unusual(self, values: VariableValues) -> dict[str, Any]:
        found = {}
        for name, value in get_argument_values(self._definition, self._node, _as_graphql_has(values)).items():
            converter = self._converters.get(name, Converter(name))
            plain = value is None or converter.convert is None
            found[converter.name] = value if plain else converter.convert(value)  # type: ignore[misc]
        return found


def _as_graphql_has(values: VariableValues) -> VariableValues:
    """Convert input objects back to dictionaries."""
    coerced = dict(values.coerced)
    for name, (signature, given) in values.sources.items():
        if given is not Undefined:
            coerced[name] = coerce_input_value(given, signature.type)
    return VariableValues(values.sources, coerced)


def _fields(
    known: Mapping[str, GraphQLArgument | GraphQLInputField], given: Mapping[str, ValueNode]
) -> dict[str, ArgumentPart]:
    """Evaluate the arguments of a field, or the fields of an input object, by Python name."""
    found = {}
    for name, field in known.items():
        out_name = field.out_name or name
        if name in given:
            found[out_name] = _part(given[name], field.type)
        elif (default := coerce_default_value(field)) is not Undefined:
            found[out_name] = ArgumentPart(default)
    return found


def _part(node: ValueNode, kind: GraphQLInputType) -> ArgumentPart:
    """Evaluate a literal. Raises NeedsGraphQLCore if graphql-core must read it in each run."""
    if isinstance(node, VariableNode):
        return ArgumentPart(make=_variable(node.name.value))
    if not _has_variables(node):
        return ArgumentPart(coerce_input_literal(node, kind))
    bare = get_nullable_type(kind)
    if isinstance(node, ListValueNode) and is_list_type(bare):
        return _list([_part(each, bare.of_type) for each in node.values])
    if isinstance(node, ObjectValueNode) and is_input_object_type(bare) and not bare.is_one_of:
        given = {field.name.value: field.value for field in node.fields}
        return _object(_fields(bare.fields, given), bare.out_type)
    raise NeedsGraphQLCore


def _variable(name: str) -> Callable[[Coerced], Any]:
    """Read a variable. Rules for null and unset values are graphql-core's."""

    def make(coerced: Coerced) -> Any:
        value = coerced.get(name)
        if value is None:
            raise NeedsGraphQLCore
        return value

    return make


def _list(parts: list[ArgumentPart]) -> ArgumentPart:
    return ArgumentPart(make=lambda coerced: [_made(part, coerced) for part in parts])


def _object(parts: dict[str, ArgumentPart], out_type: Callable[[dict[str, Any]], Any]) -> ArgumentPart:
    return ArgumentPart(make=lambda coerced: out_type({name: _made(part, coerced) for name, part in parts.items()}))


def _made(part: ArgumentPart, coerced: Coerced) -> Any:
    return part.value if part.make is None else part.make(coerced)


def _has_variables(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_has_variables, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_has_variables(field.value) for field in value.fields)
    return isinstance(value, VariableNode)
