"""Access paths of a page: the order's index for a bounded number of rows, or the keys of the matches.

No statistics tell how conditions depend on each other, or where the matches are in the order of a list. A database
would read a list in its order until the page is full, which reads all rows if the conditions never meet, or meet in the
last rows only. Each path is therefore bounded, and the next one has a larger bound.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from app.pipelines.lists.predicates import Condition, Group, Predicate
from app.pipelines.lists.probes import COMPARED, Found, Probe, Prober, find_few

NEAR, FURTHER, FAR = 500, 5000, 20_000
"""Numbers of rows of the order that are read for a page."""
FEW_OF_ALL, MANY_OF_ALL = 4000, 20_000
"""Numbers of matches that are read by their keys."""
INDEXED = {"id", "project_id", "status", "error_code", "created_by_email", "user_id"}
"""Columns whose index has the order by creation, or of which few rows have one value."""
NO_ORDER = ""
"""Column of no order, so that each condition is probed."""
PREFIXES = {
    "project_id": {"created_at"},
    "status": {"created_at", "started_at", "finished_at", "duration"},
}
"""Columns whose index has an order next, and these orders."""
INDEXED_PAIRS = [
    {"project_id", "status"},
    {"error_code", "status"},
    {"error_code", "project_id"},
    *({"status", column} for column in ("started_at", "finished_at", "duration")),
]
"""Columns that an index has together."""
SEARCHED = {"eq", "in", *COMPARED}


class Walk(NamedTuple):
    """Read the page among the first rows of the order. The answer is the number of its rows. A full page ends the
    search; with `checks_end`, so does one that is not, if the order has no more rows."""

    rows: int
    checks_end: bool = False


class Matching(NamedTuple):
    """Query for the keys of all matches, or of `most` of them."""

    most: int


Searching = Generator[Probe | Walk | Matching, Any, Found]


def search_path(
    conditions: Sequence[Condition], order_column: str, prober: Prober, *, has_walks: bool = True
) -> Searching:
    """Search the path of a page. Without walks, only for few matches."""
    if not _depends(conditions, order_column):
        return (yield from find_few(conditions, order_column, prober))
    is_joint = _is_joint(conditions, order_column, prober)
    near = (yield Walk(NEAR)) if has_walks and (prober.walks_first or is_joint) else 0
    if near > 1:
        yield Walk(FURTHER)
    found = yield from _few(conditions, order_column, prober, FEW_OF_ALL, is_joint=is_joint)
    if found.numbers is not None or not has_walks or any(map(_is_of_elements, conditions)):
        return found
    yield Walk(FAR, checks_end=True)
    many = yield from _few(conditions, NO_ORDER, prober, MANY_OF_ALL, MANY_OF_ALL, is_joint=is_joint)
    return many if many.numbers is not None else found


def _is_joint(conditions: Sequence[Condition], order_column: str, prober: Prober) -> bool:
    """Return whether the database finds matches of all conditions faster than those of the single ones."""
    if prober.walks_first:
        return len(conditions) > 1 or prober.probe(conditions[0], order_column) is None
    fields = {each.field for each in conditions if isinstance(each, Predicate) and each.operator in SEARCHED}
    return any(pair <= fields for pair in INDEXED_PAIRS)


def _few(
    conditions: Sequence[Condition], order_column: str, prober: Prober, most: int, least: int = 0, *, is_joint: bool
) -> Searching:
    """Search few matches: of one condition by probes, then of all conditions."""
    found: Found = yield from find_few(conditions, order_column, prober, least)
    if found.numbers is None and is_joint:
        if prober.settings is not None:
            yield prober.settings
        keys = yield Matching(most + 1)
        if len(keys) <= most:
            return Found(tuple(conditions), sorted(keys))
    return found


def prefixes(conditions: Sequence[Any], order_column: str) -> tuple[list[Any], list[Any]]:
    """Return the conditions that an index of the order serves, and the others: a range of the order's column, and one
    column with a single value."""
    served: list[Any] = []
    others: list[Any] = []
    has_value = False
    for each in conditions:
        is_range = isinstance(each, Predicate) and each.field == order_column and each.operator in COMPARED
        is_value = not is_range and not has_value and _is_value(each, order_column)
        has_value = has_value or is_value
        (served if is_range or is_value else others).append(each)
    return served, others


def _is_value(condition: Condition, order_column: str) -> bool:
    if not isinstance(condition, Predicate) or order_column not in PREFIXES.get(condition.field, ()):
        return False
    return condition.operator == "eq" or (condition.operator == "in" and len(condition.operand) == 1)


def _depends(conditions: Sequence[Condition], order_column: str) -> bool:
    """Return whether the duration of a page depends on the order of the matches: they are those of more than one
    condition, or of one that the indexes do not have in an order."""
    if len(conditions) == 1:
        return not _is_indexed(conditions[0], order_column)
    served, others = prefixes(conditions, order_column)
    if len(others) != 1 or any(isinstance(each, Predicate) and each.field in PREFIXES for each in served):
        return bool(others)
    return not _is_indexed(others[0], order_column)


def _is_indexed(condition: Condition, order_column: str) -> bool:
    if not isinstance(condition, Predicate):
        return False
    if condition.operator in ("eq", "in"):
        return condition.field in INDEXED
    return condition.field == order_column and condition.operator in COMPARED


def _is_of_elements(condition: Condition) -> bool:
    """Return whether a condition reads the elements of each row, which takes as long as many rows."""
    if isinstance(condition, Group):
        return condition.operator == "element" or any(map(_is_of_elements, condition.conditions))
    return condition.field == "element_types"
