"""Cost of an operation, known before it runs.

A field costs 1, and what `EXTRA` says besides; a field that changes something `MUTATION` besides. Below a field that
gives a list, everything counts as often as the list is usually long: for the `nodes` and `edges` of a page its `first`
or `last`, for `trace` once for each `POINTS` of its `maxPoints`, for other lists as `LENGTHS` says; below `elements` at
least as `LEAST` fields. `series` costs 1 more for each `POINTS` of its `maxPoints`. Introspection costs nothing.

Lists that turn out longer than usual are bounded while the answer is made, by its budget (`app.pipelines.budget`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

from app.pipelines.pagination import DEFAULT_PAGE, MAX_PAGE
from app.pipelines.repository import DEFAULT_TRACE, MAX_TRACE
from app.pipelines.series import MOST_POINTS
from schema.documents.size_limits import INTROSPECTION

PAGED = ("first", "last")
PAGE_FIELDS = ("nodes", "edges")
LENGTHS = {"elements": 5, "pipelineCounts": 5, "warnings": 5}
LEAST = {"elements": 2}
EXTRA = {
    "totalCount": 50,
    "pipelineCounts": 50,
    "series": 20,
    "progress": 15,
    "parameterValues": 4,
    "warnings": 4,
    "jobConfig": 2,
    "result": 2,
    "errorDetail": 2,
}
MUTATION = 20
POINTS = 50
"""Points of a trace, or rows of a series, that count as one."""
WHOLE = 10_000
"""Rows that a series is taken to have which is not thinned."""
THINNED = {"trace": (DEFAULT_TRACE, MAX_TRACE), "series": (WHOLE, MOST_POINTS)}
"""The fields that `maxPoints` thins, each with the points that it has without, and the most that can be asked for."""
WRONG = -1
"""Stands for a variable that is no integer."""
KEPT = 200
"""Number of cached costs of one operation, by the lengths of its pages."""


class OperationCost:
    """Cost of one valid operation as a function of its variables."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._document, self._operation = document, operation
        self._defaults = {
            node.variable.name.value: int(node.default_value.value)
            for node in operation.variable_definitions or ()
            if isinstance(node.default_value, IntValueNode)
        }
        first = _Walk(document, {})
        self._kept: dict[tuple[int | None, ...], int] = {}
        first.operation(operation)
        self._lengths = sorted(first.read)

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """Compute the cost for variables that may be invalid."""
        lengths: tuple[int | None, ...] = ()
        if self._lengths:
            given = {**self._defaults, **(variables or {})}
            lengths = tuple(_integer(given.get(name)) for name in self._lengths)
        if lengths not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            walk = _Walk(self._document, dict(zip(self._lengths, lengths, strict=True)))
            self._kept[lengths] = walk.operation(self._operation)
        return self._kept[lengths]


def _integer(value: Any) -> int | None:
    """The value of a variable that gives a length."""
    return value if value is None or type(value) is int else WRONG


def _length(asked: int | None, default: int, most: int) -> int:
    """The length of a list of which so many are asked for; one that may not be so long is refused later."""
    if asked is None:
        return default
    return asked if 0 < asked <= most else most


class _Walk:
    """Walk over an operation that visits each fragment once per page length above it."""

    def __init__(self, document: DocumentNode, lengths: Mapping[str, int | None]) -> None:
        nodes = document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._lengths = lengths
        self._known: dict[tuple[str, int], int] = {}
        self.read: set[str] = set()
        """The variables that give the lengths of lists."""

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
        points = self._points(node) if name in THINNED else 1
        if node.selection_set is None:
            return cost + (points if name in THINNED else 0)
        times = page if name in PAGE_FIELDS else LENGTHS.get(name, points)
        return cost + times * max(self._selection(node.selection_set, self._page(node)), LEAST.get(name, 0))

    def _page(self, node: FieldNode) -> int:
        """Return the length of the page of a field; 1 if it has none."""
        lengths = [_length(each, DEFAULT_PAGE, MAX_PAGE) for each in self._asked(node, PAGED)]
        return max(lengths, default=DEFAULT_PAGE)

    def _points(self, node: FieldNode) -> int:
        """How often points or rows count, of which `maxPoints` says how many there can be."""
        default, most = THINNED[node.name.value]
        lengths = [_length(each, default, most) for each in self._asked(node, ("maxPoints",))]
        return -(-max(lengths, default=default) // POINTS)

    def _asked(self, node: FieldNode, names: Collection[str]) -> list[int | None]:
        """The values of those of the arguments that are given; None for null."""
        return [self._value(each.value) for each in node.arguments or () if each.name.value in names]

    def _value(self, value: ValueNode) -> int | None:
        if isinstance(value, VariableNode):
            self.read.add(value.name.value)
            return self._lengths.get(value.name.value)
        return int(value.value) if isinstance(value, IntValueNode) else None

    def _fragment(self, name: str, page: int) -> int:
        if (name, page) not in self._known:
            self._known[name, page] = self._selection(self._fragments[name].selection_set, page)
        return self._known[name, page]
