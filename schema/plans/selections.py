"""What an operation selects, as graphql-core collects it: fragments, merged fields, @include and @skip are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

from schema import schema


class Unplanned(Exception):
    """No plan serves this; the executor does."""


class Selections:
    """The fields that are selected for one value of each variable that @include and @skip read."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, values: VariableValues) -> None:
        self._schema, self._operation, self._values = schema._schema, operation, values
        self._fragments = {node.name.value: FragmentDetails(node) for node in fragments_of(document)}

    def root(self) -> dict[str, FieldDetailsList]:
        """The fields of the root type, by response key."""
        kind = self._schema.get_root_type(self._operation.operation)
        assert kind is not None
        return _plain(kind, collect_fields(self._schema, self._fragments, self._values, kind, self._operation))

    def fields(self, type_name: str, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """The fields of a type that are selected below a field, by response key."""
        kind = self._schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        collected = collect_subfields(self._schema, self._fragments, self._values, self._operation, kind, details)
        return _plain(kind, collected)

    def definition(self, type_name: str, details: FieldDetailsList) -> GraphQLField:
        kind = self._schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        definition: GraphQLField = kind.fields[name_of(details)]
        return definition

    def arguments(self, type_name: str, details: FieldDetailsList) -> Arguments:
        """The arguments of a field, by GraphQL name."""
        return Arguments(self.definition(type_name, details), details)

    def converted_arguments(
        self, type_name: str, details: FieldDetailsList
    ) -> Callable[[VariableValues], dict[str, Any]]:
        """The arguments of a field, as its resolver gets them."""
        definition = self.definition(type_name, details)
        field, arguments = definition.extensions["strawberry-definition"], Arguments(definition, details)
        scalars = schema.schema_converter.scalar_registry
        return lambda values: convert_arguments(arguments(values), field.arguments, scalars, schema.config)


class Arguments:
    """The arguments of a field, read for each run. Those in which no variable stands are the same for all."""

    def __init__(self, definition: GraphQLField, details: FieldDetailsList) -> None:
        self._definition, self._node = definition, details[0].node
        given = [argument.value for argument in self._node.arguments or ()]
        self._fixed = None if any(map(_has_variables, given)) else get_argument_values(definition, self._node)
        self._whole = _only_variables(definition, self._node)

    def __call__(self, values: VariableValues) -> dict[str, Any]:
        """By GraphQL name. GraphQLError as the executor would raise it."""
        if self._fixed is not None:
            return self._fixed
        if self._whole is not None:
            found = {name: values.coerced.get(variable) for name, variable in self._whole}
            if all(value is not None for value in found.values()):
                return found
        return get_argument_values(self._definition, self._node, values)


def _only_variables(definition: GraphQLField, node: FieldNode) -> list[tuple[str, str]] | None:
    """Where every argument is given as a variable, which is coerced already: their names, and the variables'. There are
    rules for null and for what is absent; they are not for here."""
    given = node.arguments or ()
    if len(given) < len(definition.args):
        return None
    variables = [(each.name.value, each.value) for each in given]
    names = [
        (definition.args[name].out_name or name, value.name.value)
        for name, value in variables
        if isinstance(value, VariableNode)
    ]
    return names if len(names) == len(variables) else None


def _has_variables(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_has_variables, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_has_variables(field.value) for field in value.fields)
    return isinstance(value, VariableNode)


def name_of(details: FieldDetailsList) -> str:
    return details[0].node.name.value


def fragments_of(document: DocumentNode) -> Iterator[FragmentDefinitionNode]:
    return (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))


def _plain(kind: GraphQLObjectType, collected: CollectedFields) -> dict[str, FieldDetailsList]:
    """What was collected. Unplanned where it is to be delivered in parts, or Strawberry has something stand before a
    field, such as a permission: a plan would go past it."""
    if collected.new_defer_usages or collected.forbidden_directive_instances:
        raise Unplanned
    for details in collected.grouped_field_set.values():
        field = kind.fields.get(name_of(details))
        if field is not None and field.extensions["strawberry-definition"].extensions:
            raise Unplanned
    return collected.grouped_field_set


__all__ = ["Arguments", "FieldDetailsList", "Selections", "Unplanned", "name_of"]
