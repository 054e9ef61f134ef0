"""What an operation costs, known before it runs.

A field costs 1, and what `EXTRA` says besides; a field that changes something `MUTATION` besides. Below a field that
gives a list, everything counts as often as the list can be long: for the `nodes` and `edges` of a page its `first` or
`last`, for other lists what `LENGTHS` says. Introspection costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from app.paging import DEFAULT_PAGE, MAX_PAGE
from schema.limits import INTROSPECTION

PAGED = ("first", "last")
PAGE_FIELDS = ("nodes", "edges")
LENGTHS = {"elements": 5, "trace": 20, "pipelineCounts": 5, "warnings": 5}
EXTRA = {
    "totalCount": 50,
    "pipelineCounts": 50,
    "jobConfig": 2,
    "result": 2,
    "errorDetail": 2,
    "parameterValues": 4,
    "warnings": 4,
}
MUTATION = 20
KEPT = 200
"""Costs that are remembered of one operation, by the lengths of its pages."""


class Cost:
    """The cost of one valid operation, whatever its variables."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._document, self._operation = document, operation
        self._defaults = {
            node.variable.name.value: int(node.default_value.value)
            for node in operation.variable_definitions or ()
            if isinstance(node.default_value, IntValueNode)
        }
        first = _Walk(document, {})
        self._kept: dict[tuple[int, ...], int] = {}
        first.operation(operation)
        self._lengths = sorted(first.read)

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """The cost with these variables, which need not be right."""
        lengths: tuple[int, ...] = ()
        if self._lengths:
            given = {**self._defaults, **(variables or {})}
            lengths = tuple(_length(given.get(name)) for name in self._lengths)
        if lengths not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            walk = _Walk(self._document, dict(zip(self._lengths, lengths, strict=True)))
            self._kept[lengths] = walk.operation(self._operation)
        return self._kept[lengths]


def _length(value: Any) -> int:
    """The length of a page that asks for so many; one that may not be so long is refused later."""
    if value is None:
        return DEFAULT_PAGE
    return value if isinstance(value, int) and 0 < value <= MAX_PAGE else MAX_PAGE


class _Walk:
    """One pass over an operation, each fragment once for each length of page that it stands below."""

    def __init__(self, document: DocumentNode, lengths: Mapping[str, int]) -> None:
        nodes = document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._lengths = lengths
        self._known: dict[tuple[str, int], int] = {}
        self.read: set[str] = set()
        """The variables that give the lengths of pages."""

    def operation(self, node: OperationDefinitionNode) -> int:
        cost = self._selection(node.selection_set, 1)
        changes = len(node.selection_set.selections) if node.operation is OperationType.MUTATION else 0
        return cost + MUTATION * changes

    def _selection(self, selections: SelectionSetNode, page: int) -> int:
        cost = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                cost += self._field(node, page)
            elif isinstance(node, FragmentSpreadNode):
                cost += self._fragment(node.name.value, page)
            else:
                cost += self._selection(node.selection_set, page)  # type: ignore[attr-defined]
        return cost

    def _field(self, node: FieldNode, page: int) -> int:
        name = node.name.value
        if name in INTROSPECTION:
            return 0
        cost = 1 + EXTRA.get(name, 0)
        if node.selection_set is None:
            return cost
        times = page if name in PAGE_FIELDS else LENGTHS.get(name, 1)
        return cost + times * self._selection(node.selection_set, self._page(node))

    def _page(self, node: FieldNode) -> int:
        """How many pipelines are on the page that a field gives, if it gives one."""
        values = [each.value for each in node.arguments or () if each.name.value in PAGED]
        lengths = [self._asked(value) for value in values]
        return max(lengths, default=DEFAULT_PAGE)

    def _asked(self, value: ValueNode) -> int:
        if isinstance(value, VariableNode):
            self.read.add(value.name.value)
            return self._lengths.get(value.name.value, DEFAULT_PAGE)
        return _length(int(value.value) if isinstance(value, IntValueNode) else None)

    def _fragment(self, name: str, page: int) -> int:
        if (name, page) not in self._known:
            self._known[name, page] = self._selection(self._fragments[name].selection_set, page)
        return self._known[name, page]
