"""Argument checks before execution, once per field of the document.

A resolver below a list is called for each object and would raise the same error for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
    get_variable_values,
    type_from_ast,
)
from graphql.execution.values import VariableValues

from app.errors import RequestError
from app.models.enums import HISTORY
from app.pipelines.repository import checked_lines, checked_points
from app.pipelines.results.series import Wanted

Check = Callable[[Mapping[str, Any]], None]
"""Raises RequestError if the arguments are invalid for every object."""


def _check_trace(arguments: Mapping[str, Any]) -> None:
    checked_points(arguments["maxPoints"])


def _check_series(arguments: Mapping[str, Any]) -> None:
    max_points, x_min, x_max = (arguments.get(name) for name in ("maxPoints", "xMin", "xMax"))
    Wanted(arguments.get("objective", ""), max_points=max_points, x_min=x_min, x_max=x_max).check()


def _check_history(arguments: Mapping[str, Any]) -> None:
    Wanted(HISTORY, max_points=arguments.get("maxPoints")).check()


def _check_log(arguments: Mapping[str, Any]) -> None:
    checked_lines(arguments["after"], arguments["maxLines"])


CHECKS: dict[str, Check] = {
    "Job.trace": _check_trace,
    "Job.log": _check_log,
    "PipelineElement.history": _check_history,
    "PipelineElement.series": _check_series,
    "Measurement.series": _check_series,
}
"""Checks by `Type.field`."""
Conditions = tuple[SelectionNode, ...]


class Checked(NamedTuple):
    """Field of the document with checked arguments."""

    node: FieldNode
    definition: GraphQLField
    check: Check
    conditions: Conditions
    """The field and the selections around it that have directives."""


class Checks:
    """Fields of one operation with checked arguments; falsy if the operation has none."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._schema, self._definitions = schema, operation.variable_definitions or ()
        nodes = document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._seen: set[tuple[Any, ...]] = set()
        self._found = list(self._checked(operation.selection_set, schema.get_root_type(operation.operation), ()))

    def __bool__(self) -> bool:
        return bool(self._found)

    def errors(self, variables: Mapping[str, Any] | None) -> list[GraphQLError]:
        """Return the errors of all arguments. Errors of the variables themselves are left to the executor."""
        values = get_variable_values(self._schema, self._definitions, dict(variables or {}), max_errors=1)
        if isinstance(values, list):
            return []
        errors = {id(each.node): error for each in self._found if (error := _error(each, values)) is not None}
        return list(errors.values())

    def _checked(self, selections: SelectionSetNode, parent: Any, conditions: Conditions) -> Iterator[Checked]:
        for node in selections.selections:
            around = (*conditions, node) if node.directives else conditions
            if isinstance(node, FieldNode):
                yield from self._of_field(node, parent, around)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._of_fragment(node.name.value, around)
            elif isinstance(node, InlineFragmentNode):
                named = node.type_condition
                kind = parent if named is None else type_from_ast(self._schema, named)
                yield from self._checked(node.selection_set, kind, around)

    def _of_field(self, node: FieldNode, parent: Any, conditions: Conditions) -> Iterator[Checked]:
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None:
            return
        check = CHECKS.get(f"{parent.name}.{node.name.value}")
        if check is not None:
            yield Checked(node, definition, check, conditions)
        if node.selection_set is not None:
            yield from self._checked(node.selection_set, get_named_type(definition.type), conditions)

    def _of_fragment(self, name: str, conditions: Conditions) -> Iterator[Checked]:
        """Yield the checked fields of a fragment, once per set of conditions, however often it is spread."""
        key = (name, *map(id, conditions))
        if key not in self._seen:
            self._seen.add(key)
            fragment = self._fragments[name]
            kind = type_from_ast(self._schema, fragment.type_condition)
            yield from self._checked(fragment.selection_set, kind, conditions)


def _error(each: Checked, values: VariableValues) -> GraphQLError | None:
    try:
        if all(_is_included(node, values) for node in each.conditions):
            each.check(get_argument_values(each.definition, each.node, values))
    except RequestError as error:
        return GraphQLError(error.message, each.node)
    except GraphQLError:
        return None  # an argument of a wrong type: the executor reports it with its location
    return None


def _is_included(node: SelectionNode, values: VariableValues) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, values)
    include = get_directive_values(GraphQLIncludeDirective, node, values)
    return not (skip and skip["if"]) and not (include and not include["if"])
