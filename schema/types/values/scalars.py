"""Scalars DateTime and JSON."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError, Undefined, ValueNode, value_from_ast_untyped
from strawberry.scalars import JSON

from app.models.columns import instant_text

MAX_DEPTH = 200
"""Maximum depth of JSON literals, variables included. orjson encodes at most 254 levels."""
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(value: Any) -> datetime:
    """Parse a UTC time from RFC 3339 text; digits beyond microseconds are dropped."""
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise GraphQLError(f"DateTime takes RFC 3339 with an offset, such as 2026-11-23T10:00:00Z, not {value!r:.80}.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(f"Unknown time {value!r:.80}.") from None


def at_place(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return a parser of literals whose errors have the place of the literal."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(node, variables)
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Return the value of a JSON literal. As in input objects, a key is omitted if its variable is unset."""
    return _plain(value_from_ast_untyped(node, variables), MAX_DEPTH)


def _plain(value: Any, levels: int) -> Any:
    """Convert a coerced variable of another type back to JSON."""
    if isinstance(value, dict | list) and not levels:
        raise GraphQLError(f"JSON in a document nests at most {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        return {key: _plain(item, levels - 1) for key, item in value.items() if item is not Undefined}
    if isinstance(value, list):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return instant_text(value)
    return None if value is Undefined else value


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An RFC 3339 instant in UTC, with microseconds: `2026-11-23T10:00:00.000000Z`.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=instant_text,
        parse_value=parse_instant,
        parse_literal=at_place(lambda node, variables: parse_instant(value_from_ast_untyped(node, variables))),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. It comes back deeply equal to what was sent, with its keys in the same order.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        parse_literal=at_place(json_literal),
    ),
}
