"""Validation rules beyond GraphQL's own."""

from typing import Any

from graphql import (
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    StringValueNode,
    ValidationRule,
    get_nullable_type,
    is_list_type,
)

from app.server.bodies.strict_json import fits_64_bits


class StorableValues(ValidationRule):
    """Rule: literals in a document obey the limits of values in variables; JSON literals can contain any value."""

    def enter_int_value(self, node: IntValueNode, *_: Any) -> None:
        if not fits_64_bits(node.value):
            self.report_error(GraphQLError("This integer does not fit in 64 bits.", node))

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> None:
        if float(node.value) in (float("inf"), float("-inf")):
            self.report_error(GraphQLError("This number is too large.", node))

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\0" in node.value:
            self.report_error(GraphQLError("This text holds a NUL character.", node))


def list_limit(most: int) -> type[ValidationRule]:
    """Return the rule that lists in a document have at most `most` items, as those in variables; JSON literals can
    contain any list."""

    class ListLimit(ValidationRule):
        def enter_list_value(self, node: ListValueNode, *_: Any) -> None:
            kind = self.context.get_parent_input_type()
            if len(node.values) > most and kind is not None and is_list_type(get_nullable_type(kind)):
                self.report_error(GraphQLError(f"This list has {len(node.values):,} items; the most is {most}.", node))

    return ListLimit
