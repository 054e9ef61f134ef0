"""Internals of Strawberry that the schema depends on: the schema of graphql-core behind Strawberry's, the definitions
behind fields and types, and the factory of input objects. Nothing else in the code base names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInputObjectType, GraphQLSchema

DEFINITION = "strawberry-definition"


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return the schema that graphql-core executes."""
    return schema._schema


def field_definition(field: GraphQLField) -> Any:
    """Return Strawberry's definition of a field."""
    return field.extensions[DEFINITION]


def resolver_of(field: GraphQLField) -> Callable[..., Any] | None:
    """Return the function that resolves a field; None if the field reads an attribute, or is not Strawberry's."""
    resolver = getattr(field.extensions.get(DEFINITION), "base_resolver", None)
    return None if resolver is None else resolver.wrapped_func


def type_definition(kind: type) -> Any:
    """Return Strawberry's definition of a Python type: of an object, an input object or an enum."""
    return kind.__strawberry_definition__  # type: ignore[attr-defined]


def set_input_factory(kind: type, factory: Callable[..., Any]) -> None:
    """Make Strawberry build input objects of a type with `factory(kind, value, context)`."""
    type_definition(kind).from_input = factory


def input_factory(kind: GraphQLInputObjectType) -> Any:
    """Return the factory of an input type, if one was set."""
    return getattr(kind.extensions.get(DEFINITION), "from_input", None)
