"""Inputs made of coerced values the short way: what Strawberry looks up anew for each value is looked up once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition

K = TypeVar("K", bound=type)
NAMES = StrawberryConfig().name_converter


def quick(kind: K) -> K:
    """Have Strawberry make inputs of this type by what is here."""
    kind.__strawberry_definition__.from_input = Maker(kind)  # type: ignore[attr-defined]
    return kind


class Maker:
    """Makes inputs of one type."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __call__(self, kind: type, value: Mapping[str, Any], context: InputContext) -> Any:
        return self.make(value)

    def make(self, value: Mapping[str, Any]) -> Any:
        given = {}
        for name, (field, convert) in self._fields.items():
            if name in value:
                item = value[name]
                given[field] = item if convert is None or item is None else convert(item)
        return self._kind(**given)

    @cached_property
    def _fields(self) -> dict[str, tuple[str, Callable[[Any], Any] | None]]:
        """By GraphQL name, the fields in Python, and what makes their values where these are not plain."""
        definition = self._kind.__strawberry_definition__  # type: ignore[attr-defined]
        return {
            NAMES.from_field(field): (field.python_name, converter(field.resolve_type(type_definition=definition)))
            for field in definition.fields
        }


def converter(kind: Any) -> Callable[[Any], Any] | None:
    """What makes values of a type of those that GraphQL coerced. None: they are that already."""
    if isinstance(kind, StrawberryOptional):
        return converter(kind.of_type)
    if isinstance(kind, StrawberryList):
        convert = converter(kind.of_type)
        return list if convert is None else lambda items: list(map(convert, items))
    if not has_object_definition(kind):
        return None
    maker = kind.__strawberry_definition__.from_input
    assert isinstance(maker, Maker), f"{kind} is not quick"
    return maker.make
