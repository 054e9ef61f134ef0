"""Selections of an operation, collected by graphql-core: fragments, merged fields, @include and @skip."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from schema import graphql_schema
from schema.plans.inputs.arguments import Arguments, Converter
from schema.plans.inputs.coercion import Unplanned
from schema.strawberry_internals import field_definition
from schema.types.values.input_factory import NAMES, converter


class Selections:
    """Selected fields for given values of the variables that @include and @skip read."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, values: VariableValues) -> None:
        self._schema, self._operation, self._values = graphql_schema, operation, values
        self._fragments = {node.name.value: FragmentDetails(node) for node in fragments_of(document)}

    def root(self) -> dict[str, FieldDetailsList]:
        """Return the fields of the root type by response key."""
        kind = self._schema.get_root_type(self._operation.operation)
        assert kind is not None
        return _plain(kind, collect_fields(self._schema, self._fragments, self._values, kind, self._operation))

    def fields(self, type_name: str, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """Return the selected fields below a field by response key."""
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
        """Return the arguments of a field by GraphQL name."""
        return Arguments(self.definition(type_name, details), details[0].node, {})

    def converted_arguments(self, type_name: str, details: FieldDetailsList) -> Arguments:
        """Return the arguments of a field as its resolver receives them."""
        definition = self.definition(type_name, details)
        converters = {
            NAMES.from_argument(argument): Converter(argument.python_name, converter(argument.type))
            for argument in field_definition(definition).arguments
        }
        return Arguments(definition, details[0].node, converters)


def name_of(details: FieldDetailsList) -> str:
    return details[0].node.name.value


def fragments_of(document: DocumentNode) -> Iterator[FragmentDefinitionNode]:
    return (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))


def _plain(kind: GraphQLObjectType, collected: CollectedFields) -> dict[str, FieldDetailsList]:
    """Return the collected fields. Raises Unplanned for incremental delivery, or if Strawberry runs an extension before
    a field, such as a permission, which a plan would skip."""
    if collected.new_defer_usages or collected.forbidden_directive_instances:
        raise Unplanned
    for details in collected.grouped_field_set.values():
        field = kind.fields.get(name_of(details))
        if field is not None and field_definition(field).extensions:
            raise Unplanned
    return collected.grouped_field_set


__all__ = ["FieldDetailsList", "Selections", "Unplanned", "name_of"]
