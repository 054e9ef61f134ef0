"""Lists in an operation's variables, counted before anything is made of their items. JSON is not looked into."""

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
"""The places, in a value that stands at a path, of lists with more than so many items."""


class Lists:
    """Finds lists that are too long among the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        looks = {
            node.variable.name.value: look(type_from_ast(schema, node.type))  # type: ignore[arg-type]
            for node in operation.variable_definitions or ()
        }
        self._looks = {name: found for name, found in looks.items() if found}

    def too_long(self, variables: Mapping[str, Any] | None, most: int) -> Iterator[Path]:
        """The places of those with more than `most` items."""
        for name, find in self._looks.items():
            if variables and variables.get(name) is not None:
                yield from find(variables[name], (name,), most)


def look(kind: GraphQLInputType) -> Look | None:
    """How to look through a value of a type; None where it can hold no list."""
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
