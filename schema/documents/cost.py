"""Cost (complexity) of an operation, known before it runs.

A field costs 1 plus its `EXTRA`; a root field of a mutation costs `MUTATION` more. A list multiplies the cost of the
fields below it by the list's usual length: `first` or `last` for `nodes` and `edges` of a page, `maxPoints` / `POINTS`
for `trace`, `maxLines` / `POINTS` for `log`, and `LENGTHS` for other lists. The fields below `elements` cost at least
`LEAST`. A field with the argument `ids` or `inputs` multiplies by their number, also what a mutation costs more;
`projects` by `first`. `series` costs `maxPoints` / `POINTS` more. A `filter` costs 1 for each of its fields plus its
`SEARCHES`, and 1 for each `ITEMS` items of a list, at any depth. Introspection costs nothing.

Lists that turn out longer than usual are bounded while the answer is made, by its budget (`app.pipelines.budget`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from app.pipelines.lists.pagination import DEFAULT_PAGE, MAX_PAGE
from app.pipelines.repository import DEFAULT_LINES, DEFAULT_TRACE, MAX_LINES, MAX_TRACE
from app.pipelines.results.series import MOST_POINTS
from schema.documents.size_limits import INTROSPECTION

FILTER = "filter"
PAGED = ("first", "last")
PAGE_FIELDS = ("nodes", "edges")
LISTS = ("projects",)
"""Lists with an argument of PAGED themselves."""
LISTED = ("ids", "inputs")
"""Arguments whose number of items is the length of the field's list."""
MOST_LISTED = 100
"""Maximum number of items of an argument of LISTED."""
RESULT_LENGTHS = {"parameters": 10, "problems": 5, "statistics": 3, "objectives": 2, "sources": 2}
LENGTHS = {
    "elements": 5,
    "pipelineCounts": 5,
    "counts": 5,
    "warnings": 5,
    "columns": 10,
    "workers": 5,
    "apiKeys": 20,
    **RESULT_LENGTHS,
}
LEAST = {"elements": 2}
EXTRA = {
    "checkPipeline": 300,
    "totalCount": 50,
    "pipelineCounts": 50,
    "projects": 50,
    "counts": 20,
    "system": 20,
    "usedBy": 50,
    "parameterSet": 100,
    "series": 20,
    "history": 20,
    "apiKeys": 20,
    "createApiKey": 50,
    "revokeApiKey": 50,
    "downloadUrl": 5,
    "steps": 4,
    "cycles": 4,
    "progress": 15,
    "queuePosition": 10,
    "parameterValues": 4,
    "parameters": 4,
    "warnings": 4,
    "outcome": 4,
    "objectives": 4,
    "failure": 4,
    "jobConfig": 2,
    "result": 2,
    "errorDetail": 2,
}
SEARCHES = {"element": 20, "elementTypes": 20, "nameContains": 5, "nameStartsWith": 5, "descriptionContains": 5}
"""Fields of filters that search other tables or texts."""
SHORT, SHORT_SEARCH = 3, 50
"""Number of characters below which a text is short, and what its search costs more: only SQLite has an index for it."""
ITEMS = 10
"""Number of items of a list in a filter that cost as much as one field."""
DEEPEST, LONGEST = 10, 1_000
"""Levels and items of a filter that are counted; one with more is refused later."""
MUTATION = 20
POINTS = 50
"""Number of points of a trace, lines of a log, or rows of a series, that cost as much as one field."""
LONGEST_HISTORY = 5_000
"""Maximum number of rows of a fit's history, assumed without `maxPoints`."""
WHOLE = 10_000
"""Number of rows assumed for a series that is not downsampled."""
THINNED = {
    "trace": (DEFAULT_TRACE, MAX_TRACE),
    "log": (DEFAULT_LINES, MAX_LINES),
    "jobLog": (DEFAULT_LINES, DEFAULT_LINES),
    "series": (WHOLE, MOST_POINTS),
    "history": (LONGEST_HISTORY, MOST_POINTS),
}
"""Fields with `maxPoints` or `maxLines`, each with the number assumed without it and the maximum."""
FilterPart = tuple[str, str]
"""Field of a filter and the variable that is its value; the field is empty if the variable is a filter itself."""
WRONG = -1
"""Placeholder for a variable that is not an integer."""
KEPT = 200
"""Maximum number of cached costs per operation, one per combination of lengths."""


class OperationCost:
    """Cost of one valid operation as a function of its variables."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._document, self._operation = document, operation
        self._defaults = {
            node.variable.name.value: _default(node.default_value) for node in operation.variable_definitions or ()
        }
        first = _Walk(document, {})
        self._kept: dict[tuple[int | None, ...], int] = {}
        cost = first.operation(operation)
        self._filters, self._lengths = sorted(first.filters), sorted(first.read)
        self._listed = first.listed
        self.fixed = None if self._filters or self._lengths else cost
        """The cost if no variable changes it."""

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """Compute the cost for variables that may be invalid."""
        lengths: tuple[int | None, ...] = ()
        costs: tuple[int, ...] = ()
        if self._lengths or self._filters:
            given = {**self._defaults, **(variables or {})}
            lengths = tuple((_size if name in self._listed else _integer)(given.get(name)) for name in self._lengths)
            parts = ((field, given.get(name)) for field, name in self._filters)
            costs = tuple(_filter_cost({field: value} if field else value) for field, value in parts)
        key = lengths + costs
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            by_name = dict(zip(self._lengths, lengths, strict=True)), dict(zip(self._filters, costs, strict=True))
            self._kept[key] = _Walk(self._document, *by_name).operation(self._operation)
        return self._kept[key]


def _integer(value: Any) -> int | None:
    """Return the value of a length variable."""
    return value if value is None or type(value) is int else WRONG


def _size(value: Any) -> int | None:
    """Return the length of a list variable; one item stands for a list of it."""
    return None if value is None else len(value) if isinstance(value, list) else 1


def _filter_cost(value: Any, depth: int = 0) -> int:
    """Return the cost of a filter, or of a part of it, that may be invalid."""
    if depth == DEEPEST:
        return 0
    if isinstance(value, list):
        parts = [each for each in value[:LONGEST] if isinstance(each, dict | list)]
        return -(-len(value) // ITEMS) + sum(_filter_cost(each, depth + 1) for each in parts)
    if not isinstance(value, dict):
        return 0
    cost = 0
    for name, item in list(value.items())[:LONGEST]:
        if item is not None:
            cost += 1 + SEARCHES.get(name, 0) + _filter_cost(item, depth + 1)
            if name.endswith("Contains") and isinstance(item, str) and len(item) < SHORT:
                cost += SHORT_SEARCH
    return cost


def _plain(value: ValueNode, used: list[FilterPart], field: str = "") -> Any:
    """Return the value of a literal, without those of its variables, which are added to `used`."""
    if isinstance(value, VariableNode):
        used.append((field, value.name.value))
        return None
    if isinstance(value, ListValueNode):
        return [_plain(each, used) for each in value.values]
    if isinstance(value, ObjectValueNode):
        return {each.name.value: _plain(each.value, used, each.name.value) for each in value.fields}
    return None if isinstance(value, NullValueNode) else getattr(value, "value", True)


def _default(value: ValueNode | None) -> Any:
    """Return the default of a variable that sets lengths or is part of a filter."""
    if isinstance(value, IntValueNode):
        return int(value.value)
    return None if value is None else _plain(value, [])


def _length(asked: int | None, default: int, most: int) -> int:
    """Return the length of a list for its argument. An invalid length counts as the maximum; it is refused later."""
    if asked is None:
        return default
    return asked if 0 < asked <= most else most


class _Walk:
    """Walk over an operation that visits each fragment once per page length above it."""

    def __init__(
        self,
        document: DocumentNode,
        lengths: Mapping[str, int | None],
        filters: Mapping[FilterPart, int] = MappingProxyType({}),
    ) -> None:
        nodes = document.definitions
        self._filters = filters
        """Costs of the variables in filters."""
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._lengths = lengths
        self._known: dict[tuple[str, int], int] = {}
        self._counted: dict[str, int] = {}
        """Number of mutations by fragment."""
        self.read: set[str] = set()
        """Variables that set the lengths of lists."""
        self.filters: set[FilterPart] = set()
        """Variables that are filters or parts of them."""
        self.listed: set[str] = set()
        """Those of them that are lists themselves."""

    def operation(self, node: OperationDefinitionNode) -> int:
        changes = self._changes(node.selection_set) if node.operation is OperationType.MUTATION else 0
        return self._selection(node.selection_set, 1) + MUTATION * changes

    def _changes(self, selections: SelectionSetNode) -> int:
        """Count the mutations of a root selection: each input or id of a list is one."""
        count = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                count += self._listed(node) or 1
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name not in self._counted:
                    self._counted[name] = self._changes(self._fragments[name].selection_set)
                count += self._counted[name]
            else:
                count += self._changes(node.selection_set)  # type: ignore[attr-defined]
        return count

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
        cost = 1 + EXTRA.get(name, 0) + self._filtered(node)
        points = self._points(node) if name in THINNED else 1
        if node.selection_set is None:
            return cost + (points if name in THINNED else 0)
        times = self._listed(node)
        if times is None:
            times = page if name in PAGE_FIELDS else LENGTHS.get(name, points)
        return cost + times * max(self._selection(node.selection_set, self._page(node)), LEAST.get(name, 0))

    def _filtered(self, node: FieldNode) -> int:
        """Return the cost of a field's filter. A variable in it costs what its value does."""
        used: list[FilterPart] = []
        given = [each.value for each in node.arguments or () if each.name.value == FILTER]
        cost = sum(_filter_cost(_plain(each, used)) for each in given)
        self.filters.update(used)
        return cost + sum(self._filters.get(each, 0) for each in used)

    def _listed(self, node: FieldNode) -> int | None:
        """Return the length of a list that the arguments of its own field set, if they do."""
        if node.name.value in LISTS:
            return self._page(node)
        for each in node.arguments or ():
            if each.name.value in LISTED:
                return _length(self._number(each.value), 1, MOST_LISTED)
        return None

    def _number(self, value: ValueNode) -> int | None:
        """Return the number of items of a list."""
        if isinstance(value, VariableNode):
            self.read.add(value.name.value)
            self.listed.add(value.name.value)
            return self._lengths.get(value.name.value)
        return len(value.values) if isinstance(value, ListValueNode) else 1

    def _page(self, node: FieldNode) -> int:
        """Return the page length of a field; the default if no argument sets it."""
        lengths = [_length(each, DEFAULT_PAGE, MAX_PAGE) for each in self._asked(node, PAGED)]
        return max(lengths, default=DEFAULT_PAGE)

    def _points(self, node: FieldNode) -> int:
        """Return the multiplier of points, lines or rows, rounded up."""
        default, most = THINNED[node.name.value]
        lengths = [_length(each, default, most) for each in self._asked(node, ("maxPoints", "maxLines"))]
        return -(-max(lengths, default=default) // POINTS)

    def _asked(self, node: FieldNode, names: Collection[str]) -> list[int | None]:
        """Return the values of those of the arguments that are given; None for null."""
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
