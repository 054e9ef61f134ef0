"""Coercion of variables as in graphql-core, with types inspected once instead of once per value.

Leaf types coerce their own values; invalid and unusual values are left to graphql-core. Where graphql-core returns a
dictionary for Strawberry to convert, this module returns the input object.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from graphql import (
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLString,
    Undefined,
    assert_leaf_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from schema.types.values.input_factory import maker

Coerce = Callable[[Any], Any]
TEXTS = (GraphQLString, GraphQLID)


class Unplanned(Exception):
    """No plan serves this operation; the executor does."""


class NeedsGraphQLCore(Exception):
    """The value is invalid or in a rare form."""


def coercer(kind: GraphQLInputType) -> Coerce:
    """Return the coercion function of a type; it returns Undefined for an invalid value."""
    usual = _coercer(kind)

    def coerce(value: Any) -> Any:
        try:
            return usual(value)
        except Exception:  # a leaf may raise any error
            return coerce_input_value(value, kind)

    return coerce


def _coercer(kind: GraphQLInputType) -> Coerce:
    if is_non_null_type(kind):
        return _bare(kind.of_type)
    bare = _bare(kind)
    return lambda value: None if value is None else bare(value)


def _bare(kind: GraphQLInputType) -> Coerce:
    """Return the coercion function of non-null values."""
    if is_list_type(kind):
        return _list(_coercer(kind.of_type))
    if is_input_object_type(kind):
        return _object(kind)
    if is_enum_type(kind):
        # Unknown and malformed keys are left to graphql-core.
        return {name: kind.coerce_input_value(name) for name in kind.values}.__getitem__
    leaf = assert_leaf_type(kind).coerce_input_value
    if kind in TEXTS:
        return lambda value: value if type(value) is str else _coerced(leaf, value)
    return lambda value: _coerced(leaf, value)


def _coerced(leaf: Coerce, value: Any) -> Any:
    if value is None:
        raise NeedsGraphQLCore
    return leaf(value)


def _list(item: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:
        if type(value) is not list:
            raise NeedsGraphQLCore
        return [item(each) for each in value]

    return coerce


@cache
def _object(kind: GraphQLInputObjectType) -> Coerce:
    made: list[Coerce] = []

    def coerce(value: Any) -> Any:
        if not made:  # at the first value: a field may be of the same type
            made.append(_fields(kind))
        return made[0](value)

    return coerce


def _fields(kind: GraphQLInputObjectType) -> Coerce:
    """Return the coercion function of an input object."""
    if kind.is_one_of:
        return lambda value: coerce_input_value(value, kind)
    quick = maker(kind)
    out_names = {name: field for name, (field, _) in quick.fields.items()} if quick else {}
    fields = [
        (
            name,
            out_names.get(name) or field.out_name or name,
            _coercer(field.type),
            coerce_default_value(field),
            is_required_input_field(field),
        )
        for name, field in kind.fields.items()
    ]
    out_type = kind.out_type

    def coerce(value: Any) -> Any:
        if type(value) is not dict:
            raise NeedsGraphQLCore
        made, known = {}, 0
        for name, out_name, coerce_field, default, is_required in fields:
            if name in value:
                known += 1
                made[out_name] = coerce_field(value[name])
            elif default is not Undefined:
                made[out_name] = default
            elif is_required:
                raise NeedsGraphQLCore
        if known < len(value):
            raise NeedsGraphQLCore
        return quick.kind(**made) if quick else out_type(made)

    return coerce
