"""Size limits of lists and input objects in variables, checked before they are coerced. JSON values are not
inspected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
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

NAMED = 20
"""Maximum number of keys beyond the fields of an input object for which coercion names each unknown key."""
Path = tuple[str | int, ...]
Look = Callable[[Any, Path, int], Iterator[str]]
"""Finds the lists with more than a number of items, and the objects with too many keys, in a value. Yields errors."""


class InputLimits:
    """Finds lists and objects that are too long in the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        looks = {
            node.variable.name.value: look(type_from_ast(schema, node.type))
            for node in operation.variable_definitions or ()
        }
        self.looks = {name: found for name, found in looks.items() if found}
        """Search functions by variable; empty if no variable has a list or an object."""

    def errors(self, variables: Mapping[str, Any] | None, most: int) -> Iterator[str]:
        """Yield an error message for each list with more than `most` items and each object with too many keys."""
        for name, find in self.looks.items():
            if variables and variables.get(name) is not None:
                yield from find(variables[name], (name,), most)


@cache
def look(kind: GraphQLInputType) -> Look | None:
    """Return the search function of a type; None for a leaf type."""
    plain = get_nullable_type(kind)
    if isinstance(plain, GraphQLList):
        return _in_list(look(plain.of_type))
    if isinstance(plain, GraphQLInputObjectType):
        return _in_object(plain)
    return None


def _in_list(inside: Look | None) -> Look:
    def find(value: Any, path: Path, most: int) -> Iterator[str]:
        if not isinstance(value, list):
            return
        if len(value) > most:
            yield f"The list at {_shown(path)} has more than {most} items."
        elif inside is not None:
            for index, item in enumerate(value):
                yield from inside(item, (*path, index), most)

    return find


def _in_object(kind: GraphQLInputObjectType) -> Look:
    known = len(kind.fields)

    @cache
    def fields() -> dict[str, Look]:
        """Return the search functions of the fields, of which one may be of the same type."""
        return {name: found for name, field in kind.fields.items() if (found := look(field.type))}

    def find(value: Any, path: Path, most: int) -> Iterator[str]:
        if not isinstance(value, dict):
            return
        if len(value) > known + NAMED:
            yield f"The object at {_shown(path)} has {len(value):,} keys; `{kind.name}` has {known} fields."
            return
        for name, inside in fields().items():
            if value.get(name) is not None:
                yield from inside(value[name], (*path, name), most)

    return find


def _shown(path: Path) -> str:
    return ".".join(map(str, path))
