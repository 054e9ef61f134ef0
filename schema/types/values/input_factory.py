"""Input factory: builds input objects from coerced values, with lookups done once per type instead of once per
value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from graphql import GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition

from schema.strawberry_internals import input_factory, set_input_factory, type_definition

K = TypeVar("K", bound=type)
NAMES = StrawberryConfig().name_converter


def quick(kind: K) -> K:
    """Make Strawberry build inputs of this type with the factory of this module."""
    set_input_factory(kind, InputFactory(kind))
    return kind


class InputFactory:
    """Factory of inputs of one type."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __call__(self, kind: type, value: Mapping[str, Any], context: InputContext) -> Any:
        return self.make(value)

    def make(self, value: Any) -> Any:
        """Build an input from coerced fields by GraphQL name. An input object is returned unchanged."""
        if type(value) is self.kind:
            return value
        given = {}
        for name, (field, convert) in self.fields.items():
            if name in value:
                item = value[name]
                given[field] = item if convert is None or item is None else convert(item)
        return self.kind(**given)

    @cached_property
    def fields(self) -> dict[str, tuple[str, Callable[[Any], Any] | None]]:
        """Python names and value converters by GraphQL name; None where the value is plain."""
        definition = type_definition(self.kind)
        return {
            NAMES.from_field(field): (field.python_name, converter(field.resolve_type(type_definition=definition)))
            for field in definition.fields
        }


def maker(kind: GraphQLInputObjectType) -> InputFactory | None:
    """Return the factory of a type, if it has one."""
    found = input_factory(kind)
    return found if isinstance(found, InputFactory) else None


def converter(kind: Any) -> Callable[[Any], Any] | None:
    """Return the converter from coerced values to a type's values; None if they are equal."""
    if isinstance(kind, StrawberryOptional):
        return converter(kind.of_type)
    if isinstance(kind, StrawberryList):
        convert = converter(kind.of_type)
        return list if convert is None else lambda items: list(map(convert, items))
    if not has_object_definition(kind):
        return None
    maker = type_definition(kind).from_input
    assert isinstance(maker, InputFactory), f"{kind} is not quick"
    return maker.make
