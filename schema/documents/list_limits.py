"""Length limits of lists in variables, checked before their items are coerced. JSON values are not inspected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLSchema,
    OperationDefinitionNode,
    get_nullable_type,
    type_from_ast,
)

Path = tuple[str | int, ...]
Look = Callable[[Any, Path, int], Iterator[Path]]
"""Finds the paths of lists with more than a number of items in a value."""


class ListLimits:
    """Finds lists that are too long in the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        looks = {
            node.variable.name.value: look(type_from_ast(schema, node.type))  # type: ignore[arg-type]
            for node in operation.variable_definitions or ()
        }
        self._looks = {name: found for name, found in looks.items() if found}

    def too_long(self, variables: Mapping[str, Any] | None, most: int) -> Iterator[Path]:
        """Return the paths of lists with more than `most` items."""
        for name, find in self._looks.items():
            if variables and variables.get(name) is not None:
                yield from find(variables[name], (name,), most)


def look(kind: GraphQLInputType) -> Look | None:
    """Return the search function of a type; None if it cannot contain a list."""
    plain = get_nullable_type(kind)
    if isinstance(plain, GraphQLList):
        return _in_list(look(plain.of_type))
    if isinstance(plain, GraphQLInputObjectType):
        fields = {name: found for name, field in plain.fields.items() if (found := look(field.type))}
        return _in_object(fields) if fields else None
    return None


def _in_list(inside: Look | None) -> Look:
    def find(value: Any, path: Path, most: int) -> Iterator[Path]:
        if not isinstance(value, list):
            return
        if len(value) > most:
            yield path
        elif inside is not None:
            for index, item in enumerate(value):
                yield from inside(item, (*path, index), most)

    return find


def _in_object(fields: Mapping[str, Look]) -> Look:
    def find(value: Any, path: Path, most: int) -> Iterator[Path]:
        if isinstance(value, dict):
            for name, inside in fields.items():
                if value.get(name) is not None:
                    yield from inside(value[name], (*path, name), most)

    return find
